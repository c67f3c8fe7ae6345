"""Predictions on disk: rows in, rows or sums over rows out.

The way of a row into the log, with the modules in reading order:

1. `intake` checks or scores it, and makes a `record` of it; `extra_fields` are what a program adds; `privacy`
   redacts or hashes its text.
2. `writer` appends it to the live file of the `folder`, under the exclusive lock (`locks`), in one write
   (`durable_files`), and extends the `append_chain`.
3. `rotation` seals a full live file and compresses it (`sentimon.compression`).
4. `resumable_job` continues a job that was interrupted; `resumable_log` logs a file that way.

The way out:

5. `log_file` opens one file, of this machine or on `object_storage`; `reader` parses the rows of all files.
   A damaged line becomes a `BadLine`, here and in `index/scan`.
6. `index/` gives a `summary` of a period or of `windows` without reading everything again; it counts
   `text_features`. `word_hashes` stand for words.
7. `row_filter`, `row_export` and `output_files` serve queries; `history` saves results beside the log;
   `maintenance/` prunes, repairs and erases.
"""
