"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations


def evaluate() -> None:
    """Evaluate."""
