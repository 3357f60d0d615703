"""Files in, files out: outside formats, splits, exports."""
