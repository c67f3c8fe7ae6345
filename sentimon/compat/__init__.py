"""The Python classes of the replaced program: its names and signatures, thin faces over `sentimon.workflows`.

- `prediction_logger`: `PredictionLogger` writes predictions into the log and reads them back
- `metrics_tracker`: `MetricsTracker` computes class mix and confidence
- `drift_detector`: `DriftDetector` compares predictions with a baseline
- `retraining_manager`: `RetrainingManager` decides whether the model needs retraining
- `analyze`: `analyze_sentiment` scores one text
- `saved_results`, `label_names`: what they share: histories in files; display names of the classes

`import sentimon` gives them all, lazily. Labels are shown as `[labels]` names them;
files keep the canonical names.
"""
