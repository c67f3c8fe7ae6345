"""What a test wants to know of an HTML file, read by the standard library's own parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "link", "br", "img", "input", "hr"}
Attributes = dict[str, str | None]


@dataclass
class Element:
    tag: str
    attributes: Attributes
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Every element of that name inside, in order."""
        found = []
        for child in self.children:
            found += [child] if child.tag == tag else []
            found += child.all(tag)
        return found

    @property
    def text(self) -> str:
        """All text inside."""
        return "".join(self.words) + "".join(child.text for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> names an attribute twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].words.append(data)


def parsed(content: str) -> Element:
    """The root of a file in which every element is closed where it should be."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def everything(root: Element) -> list[Element]:
    """All elements, in order."""
    found = []
    for child in root.children:
        found += [child, *everything(child)]
    return found


def check_page(content: str) -> Element:
    """The root of a file that is whole, speaks to those who cannot see it, and asks nobody for anything."""
    root = parsed(content)
    elements = everything(root)
    (html,) = root.all("html")
    assert html.attributes["lang"] == "en"
    levels = [int(one.tag[1]) for one in elements if one.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    identities = [one.attributes["id"] for one in elements if "id" in one.attributes]
    assert len(identities) == len(set(identities))
    for table in root.all("table"):
        assert table.all("caption")[0].text.strip()
        assert all(one.attributes["scope"] == "col" for one in table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            assert row.children[0].tag == "th"
            assert row.children[0].attributes["scope"] == "row"
            assert len(row.children) == len(table.all("thead")[0].all("th"))
    for svg in root.all("svg"):
        if svg.attributes.get("aria-hidden") != "true":
            # A picture would hide the marks in it from a reader of the screen.
            assert svg.attributes["role"] == "group"
            assert svg.all("title")[0].text
            assert svg.all("desc")[0].text
            named = str(svg.attributes["aria-labelledby"]).split()
            assert set(named) <= set(identities)
    for one in elements:
        if one.tag == "g" and "tabindex" in one.attributes:
            assert one.attributes["role"] == "img"
            assert one.children[0].tag == "title"
            assert one.children[0].text.strip()
            shown = [child for child in one.children if child.attributes.get("class") == "tip"]
            assert 1 <= len(shown) <= 2
            assert ": ".join(child.text for child in shown) == one.children[0].text
            assert all(child.attributes["aria-hidden"] == "true" for child in shown)
    for one in elements:
        assert one.tag not in {"script", "iframe", "object", "embed", "img", "link", "base", "form"}
        for name, value in one.attributes.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "srcset", "style", "action", "xlink:href"}
            if name == "href":
                assert str(value).startswith("#")
                assert str(value)[1:] in identities
    style = root.all("style")[0].text
    assert not any(one in style for one in ("url(", "@import", "expression"))
    return root
