"""Texts in, scores out: the normaliser, the Scorer protocol, its backends, and the model that ships."""
