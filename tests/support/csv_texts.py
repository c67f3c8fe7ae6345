"""Texts that are hard to write to CSV."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.one_of(st.text(), st.text("\\x1b0789af='+-@\t\r\n\x1b\x85\x7f＝", max_size=12))
