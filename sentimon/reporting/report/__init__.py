"""One HTML or Markdown file that tells how a log is doing.

A tour, in the order in which a report is made:

- `report_value`: all that a report tells, as values; `saved_checks`: the checks and incidents of the past.
- `conclusion`: what the report concludes, the one rule that its headline and its answers follow.
- `story`: the report as plain texts: `headline` with what belongs to it, `next_steps` with the commands
  to type, `answers`, then the sections.
- `time_sections`, `change_sections`, `quality_section`, `appendix_sections`: one function for each section.
- `blocks`: what a section is made of: paragraphs, tables and charts.
- `charts` and `svg`: the drawings; `timeline`: what those over time share; `moments`: times in words.
- `report_object`: the same as JSON.
- `rendering` and `report.css`: the story as HTML or Markdown, with every text escaped.
"""
