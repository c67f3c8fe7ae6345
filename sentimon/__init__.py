"""sentimon: watch a sentiment classifier in production, from text to decision."""

__version__ = "0.1.0"
