"""Scores of predictions: reading them and joining them to annotations, metrics, tables, plots and pictures."""
