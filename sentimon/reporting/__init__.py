"""Values in; tables, sentences, JSON, HTML, Markdown or Prometheus text out. Nothing here decides anything.

A tour, from the bottom up:

- `plain_text`: user text made safe to print, numbers and times; `table_style`: what all tables are made of.
- `verdict_sentences`, `monitor_findings`: the sentences on a verdict, which table, report and JSON share.
- `json_shapes`: the objects behind `--json` and the saved histories.
- `metrics_tables`, `decision_tables`, `monitor_tables`: what `metrics`, `drift` and `retrain-check` print.
- `prediction_table`, `log_tables`, `dry_run`: texts as they are scored, the log, and the plan of a long job.
- `label_tables`, `quality_tables`, `estimate_tables`: gold labels, quality with them and without them;
  `slice_quality_tables`: the same by slice of the traffic.
- `model_tables`, `retrain_tables`: models compared, promoted and retrained.
- `live_view`, `setup_tables`, `schedule`, `prometheus_text`: `watch`, `doctor`, `cron show`, Prometheus.
- `report/`: one HTML or Markdown file that tells all of it.
"""
