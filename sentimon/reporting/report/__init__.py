"""One HTML or Markdown file that tells how a log is doing.

A tour, in the order in which a report is made:

- `report_value`: all that a report tells, as values; `saved_checks`: the checks and incidents of the past.
- `story`: the title, the verdict and the answers behind it, then the sections, as plain texts.
- `time_sections`, `change_sections`, `quality_section`, `appendix_sections`: one function for each section.
- `blocks`: what a section is made of: paragraphs, tables and charts.
- `charts` and `svg`: the drawings.
- `rendering` and `templates/`: the story as HTML or Markdown, with every text escaped.
"""
