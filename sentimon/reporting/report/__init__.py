"""One file that tells how a log is doing: a value, the story it tells, and that story as HTML or Markdown."""
