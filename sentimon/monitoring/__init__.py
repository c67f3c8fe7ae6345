"""From sums of rows to verdicts; pure: no file, no clock, no random seed of its own.

- `baseline`, `baseline_codec`, `baseline_collection`: what was normal; its file; one still being collected
- `prediction_metrics`, `text_changes`: class mix and confidence; length, links, emoji of texts
- `drift_decision`: the one table of verdicts, for a look and for the monitor
- `class_mix_drift`: has the class mix drifted: of which rows (`recent_rows`), by the week (`season_matching`)
- `watched_events`, `vocabulary`: the events whose shares are watched: class, confidence, new words
- `monitor_reference`: how often each event occurs in the baseline, and how much that varies
- `shift_tests`: what a check tests and how alpha is spent; a `finding` is a shift beyond chance
- `slice_shifts`: what it tests of the slices of declared fields (`slice_reference`)
- `monitor_check`: one check: findings become alarms or warnings, an `incident` opens, goes on or closes
- `monitor_rows`, `monitor_state`: which rows are new to a check; what is kept until the next
- `monitor_report`, `simulation`: what a check says; how often a monitor alarms falsely
- `onset`, `onset_search`: when a change that was found began: class mix, confidence, an event, rows per hour
- `traffic`: do rows still come (`freshness`), and as many as before (`traffic_volume`)
- `retraining_rules`: when retraining is recommended, and when a trigger fires
"""
