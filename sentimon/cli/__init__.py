"""The command line: options in, exit code out; at most a screen per command."""
