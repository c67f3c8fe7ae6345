"""Sums of rows in, verdicts out; pure: no file, no clock, no random seed of its own."""
