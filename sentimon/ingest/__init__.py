"""Foreign files as rows: every command that takes a file reads it here.

Read in this order:

- `input_row`: one row, and which of its fields is the text
- `tables`: a file or stdin of any format as a `Table`; the format is told by name, option or first bytes
- `separated`: .csv and .tsv, with commas, semicolons or tabs
- `json_rows`: an object a line, or a JSON document
- `json_documents`: such a document cut into rows while it is read, whatever its size
- `parquet`: .parquet, and the names of the classes that such a file may hold
"""
