"""How good a model is: against gold labels, and where labels are missing.

- `datasets`: texts with gold labels, from a file or the HuggingFace hub
- `classification_metrics`: accuracy, precision, recall, F1 with intervals, weighted or not
- `quality`: a model on a labelled data set (`evaluate`)
- `model_comparison`: two models on the same rows; whether a candidate may be promoted (`compare`, `promote`)
- `realised_quality`: the logged predictions that labels have come for, as a whole and over time
- `error_rate_monitor`: has the error rate of labelled predictions risen (a rule of `retrain-check`)
- `slice_error_rates`: the same of each slice of the traffic, at its share of one level
- `slice_quality`: quality of each slice, by labels or estimated
- `estimate`: quality without labels, and the checks that allow it
- `estimate_rows`, `estimate_bootstrap`: the rows and the intervals of an estimate
- `calibration_file`: the calibration of a model, fitted on labelled rows and kept in a file
"""
