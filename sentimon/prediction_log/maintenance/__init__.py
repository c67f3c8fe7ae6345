"""Work on a whole log: old files removed, bad lines moved out, personal data erased.

In reading order: `retention` removes old sealed files. `rewriting` replaces files with edited ones, under the
locks that this needs; two modules build on it: `repair` moves bad lines into the `quarantine`, and `erasure`
takes out rows, or the personal data in them, that match the `erasure_criteria`.
"""
