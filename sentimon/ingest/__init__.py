"""Foreign files as rows: every command that takes a file reads it here.

From the bytes up, in reading order:

- `byte_source`, `file_kinds`: a file or a pipe, decompressed; what its first bytes say
- `encodings`, `encoding_guess`, `text_source`, `text_lines`: its text as UTF-8, checked, line by line
- `separated`, `separators`, `headings`: .csv and .tsv
- `plain_texts`: .txt that is a table or JSON under another name, which is refused
- `json_rows`, `json_documents`, `json_envelopes`, `peeked_stream`: objects a line, or a document of any size
- `parquet`, `workbook`: .parquet and .arrow; .xlsx and its kin
- `annotation_exports`: what Label Studio, Argilla and doccano write, as labelled rows
- `tables`: all of these as a `Table` of rows under the file's own names

From these rows to ours:

- `column_names`, `input_columns`, `prediction_columns`: which column is what
- `time_format_finder`, `time_formats`, `date_words`: how a column writes its times
- `label_coding`, `class_names`, `cells`: how a column writes its classes; what one cell says
- `column_contents`, `input_notes`: what the columns hold, found out from the rows; what is said of it
- `row_reader`, `input_row`: one row under our names
- `input_file`: an open input, which finds all this out and then yields its rows
- `understanding`: the same for people (`--dry-run`)
"""
