"""What each command does, as functions that take settings and return values.

No Typer, no printing and no exit codes: the command line, the Python classes, `watch`, the report and the
Prometheus export call the same function and show the same value.
"""
