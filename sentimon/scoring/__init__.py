"""Texts in, scores out: the normaliser, the Scorer protocol, its backends, and the model that ships.

Read in this order:

- `scores`: the three probabilities of a text; `normalise`: what a text is turned into first
- `scorer`: the protocol that every model follows, and the choice of the backend
- `onnx_backend`, `exported_model`, `onnx_runtime`: an exported model, and the one that ships
- `transformers_backend`, `pretrained_model`, `checkpoint_files`, `tokenisation`: any model of HuggingFace
- `label_map`, `length_batches`, `unknown_letters`: what both backends share
- `batch_scoring`, `scored_rows`: rows of an input in batches, and what became of each
"""
