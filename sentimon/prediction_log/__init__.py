"""Predictions on disk: rows in, rows or sums of rows out."""
