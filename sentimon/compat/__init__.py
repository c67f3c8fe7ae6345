"""The classes that Python users call: thin faces over the rooms, with the names of the replaced program.

    PredictionLogger   rows into the log and back
    MetricsTracker     class mix and confidence
    DriftDetector      comparison with a baseline
    RetrainingManager  the decision
    analyze_sentiment  text to scores

`import sentimon` gives them all, lazily. Labels are shown as `[labels]` in the configuration names them;
files keep the canonical ones.
"""
