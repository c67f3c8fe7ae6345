"""The settings of the classes: which there are, and what they are called."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sentimon.config.ranges import DisplayName
from sentimon.labels import THREE, TWO, Classes


class LabelSettings(Struct, frozen=True, kw_only=True):
    """Which classes there are, and what tables and the Python API call them; files keep our names."""

    classes: Annotated[
        Literal["three", "two"],
        Meta(
            description="Which classes there are: three, or two (negative, positive) for a classifier "
            "without neutral."
        ),
    ] = "three"
    negative: Annotated[DisplayName, Meta(description="Name shown for the negative class.")] = "negative"
    neutral: Annotated[DisplayName, Meta(description="Name shown for the neutral class.")] = "neutral"
    positive: Annotated[DisplayName, Meta(description="Name shown for the positive class.")] = "positive"

    @property
    def names(self) -> tuple[str, str, str]:
        """Return the names in Sentiment order; "" for a class that there is not."""
        return (self.negative, self.neutral if self.classes == "three" else "", self.positive)

    @property
    def present(self) -> Classes:
        """Return the classes that there are."""
        return THREE if self.classes == "three" else TWO
