"""How the model that ships was made, from a folder of labelled tweets: see README.md in this folder.

`python -m recipes.default_model DATA_DIR --output DIR` runs the stages, in this order:

    data, plain_texts     labelled tweets, and short texts from plain_texts.toml
    own_texts, corpus     the texts written for the project (texts/), and all that is trained and measured on
    vocabulary            the backbone's word pieces that European short texts use
    network               the backbone's layers with a fresh head
    teacher, student      what each is trained on, and with which hyperparameters
    adaptation            the last training of the student, with the texts of our own
    training              the loop of `sentimon.finetuning` with averaged weights and layer-wise rates
    measure, figures      how good a model is on the validation files
    stages                all of it in order; each stage keeps its result and is skipped if it is there
"""
