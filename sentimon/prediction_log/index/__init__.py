"""The derived index of the log: sums per hour of what was read, so that only what is new is read again.

The way of a question, such as the sum over last week, with the modules in reading order:

1. `log_index`: `LogIndex.ask` opens the index, brings it up to date and puts the question.
2. `sqlite_store` is the index file; `object_sidecars` are its counterpart on object storage.
3. `refresh` lists the files (`file_snapshot`), matches them with their entries (`indexed_files`), and has
   what is new read. A file that changes meanwhile starts this anew.
4. `scan` reads a unit of a file in `line_blocks`: whole blocks at once (`bulk_rows`, `text_sums`), or line
   by line where a line is unusual. Bad lines are counted here.
5. `cells` hold the sums per hour, and where in the file the rows of the hour are; `packed_sums` is their
   form on disk.
6. `period_sums` answers with whole files and whole cells, and reads the rows of cut hours again.
7. `logged_rows` reads rows themselves; `verification` computes all sums again and compares.
"""
