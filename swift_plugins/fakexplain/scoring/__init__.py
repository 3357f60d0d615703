"""Predictions against annotations: reading and joining them, metrics, tables and pictures."""
