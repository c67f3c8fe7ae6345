"""The derived index of the log: sums per hour of what was read, so that only what is new is read again.

The way of a question: `index` opens the `store` (SQLite) and calls `refresh`. That lists the folder
(`files`), finds for each file what is known of it (`entries`: cursor, checksums, chain of custody), cuts
what is new into `units`, and has them read by whoever runs the work. Each unit is a `scan`: `blocks` of
whole lines go the fast way (`usual` decodes them, `columns` sums up their numbers and `prose` their texts,
`bulk` joins the three); what that refuses goes line by line through `parse_row`. Both fill `cells`, one an
hour, which know where in the file their rows are. A scan ends as packed `parts`, which are added to the
store. The question is then answered by `sums` (whole files, the few cells that `cover` the rest, and the
rows of cut hours, read again through `stretches`) or by `rows`. `slots` says which stretch of time a moment
belongs to; `verify` does it all again into an empty store, and compares.
"""
