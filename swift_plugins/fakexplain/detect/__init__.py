"""Detection: an image in, an answer out."""
