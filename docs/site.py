"""Hooks of the site that `make docs` builds: pages link to files outside docs/, which go into the site, too.

On the code host such links work as they are. In the site a file of the repository stands under its own path,
`benchmarks/README.md` for instance, and the links to it are written anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")


def on_files(files: Any, config: Any) -> Any:
    """Return the files of the site, with those outside docs/ that its pages lead to."""
    known = {Path(file.abs_src_path).resolve() for file in files}
    left = [path for path in known if path.suffix == ".md"]
    while left:
        page = left.pop()
        for target in linked_from(page) - known:
            known.add(target)
            files.append(File.generated(config, place_of(target), abs_src_path=str(target)))
            left += [target] if target.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page with its links as the site has them."""
    source = Path(page.file.abs_src_path).resolve()
    folder = Path(place_of(source)).parent

    def placed(link: re.Match[str]) -> str:
        target = (source.parent / link[1]).resolve()
        return os.path.relpath(place_of(target), folder) if target.is_file() else link[1]

    pieces = _FENCE.split(markdown)
    return "".join(piece if n % 2 else _LINK.sub(placed, piece) for n, piece in enumerate(pieces))


def linked_from(page: Path) -> set[Path]:
    """Return the files that a page links to; one that is missing is left to the check of the links."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = {(page.parent / link).resolve() for link in _LINK.findall(text)}
    return {target for target in targets if target.is_file() and target.is_relative_to(ROOT)}


def place_of(path: Path) -> str:
    """Return where a file of the repository stands in the site."""
    return str(path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT))
