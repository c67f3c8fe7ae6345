"""Foreign files as rows: every command that takes a file reads it here.

Read in this order:

- `input_row`: one row, and which of its fields is the text
- `tables`: a file or stdin of any format as a `Table`; the format is told by name, option or first bytes
- `separated`: .csv and .tsv, with commas, semicolons or tabs
- `json_rows`: an object a line, or a JSON document
- `json_documents`: such a document cut into rows while it is read, whatever its size
- `column_names`: the usual names of a column of texts, times, ids, labels or models
- `label_coding`: how a column of labels writes its classes; `class_names`: what a label means by itself
- `cells`: what a cell says: nothing, or a number
- `time_format_finder`: how a column writes its times, found out from its values, or a question
- `time_formats`: the formats, and a value read by one; `date_words` has the names of months and weekdays
- `parquet`: .parquet, and the names of the classes that such a file may hold
"""
