"""The pictures of README and docs show what the program prints."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment
from tests.support.doc_pages import masked

IMAGES = ROOT / "notebooks/images"
NAMES = sorted(path.name for path in IMAGES.glob("*.svg"))


def said(path: Path) -> str:
    texts = re.findall(r"<text [^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
    return masked(html.unescape(" ".join(texts)))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    command = [sys.executable, ROOT / "notebooks/pictures.py", folder / "images"]
    subprocess.run(command, check=True, capture_output=True, env=clean_environment(folder), cwd=folder)
    return folder / "images"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_what_is_printed_today(drawn: Path, name: str) -> None:
    assert said(IMAGES / name) == said(drawn / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_fetches_nothing(name: str) -> None:
    svg = (IMAGES / name).read_text(encoding="utf-8")
    assert len(svg) < 60_000
    assert "@font-face" not in svg
    assert not re.search(r"url\((?!#)|href", svg)
    assert str(ROOT) not in svg


def test_the_readme_shows_a_report_and_the_guide_the_live_view() -> None:
    assert "watch.svg" in NAMES
    assert "](notebooks/images/charts.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    guide = (ROOT / "docs/guides/monitoring.md").read_text(encoding="utf-8")
    assert "](../../notebooks/images/watch.svg)" in guide
