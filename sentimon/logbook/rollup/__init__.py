"""The derived index of the log: sums per hour of what was read, so that only what is new is read again."""
