"""The pages are true: console examples are run in order, Python is run, names and links are looked up.

A block that cannot be run has `<!-- not run: why -->` before it, which a reader does not see. Italian pages
show the blocks of the English page of the same name, so they are compared and not run again.

Digits and bars are not compared: another processor rounds another way. With SENTIMON_GOLDEN=write in the
environment the recorded output is written anew. A page that begins with `<!-- begins with: PAGE -->` goes
on in the folder in which the examples of that page were run.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from sentimon.cli.app import app
from sentimon.config import load_settings
from sentimon.config.setting_keys import SECTIONS, setting_keys
from sentimon.errors import ExitCode
from sentimon.scoring.onnx_backend import OnnxScorer
from sentimon.scoring.scores import ScoredText
from tests.conftest import ROOT, clean_environment
from tests.support.doc_pages import blocks, masked
from tests.support.shell import Shell

DOCS = ROOT / "docs"
README = ROOT / "README.md"
GENERATED = {DOCS / "reference/commands.md", DOCS / "reference/settings.md"}
PAGES = sorted([README, *DOCS.rglob("*.md")])
WRITTEN = [path for path in PAGES if path not in GENERATED]
ITALIAN = DOCS / "it"
WITH_EXAMPLES = [
    path for path in WRITTEN if path.parent != ITALIAN and "```console\n" in path.read_text(encoding="utf-8")
]
MOST_LINES_OF_README = 150
SITE = ROOT / "configs/mkdocs.yml"
FILE_ENDINGS = ("py", "json", "jsonl", "lock", "onnx", "safetensors")
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_BEGINS_WITH = re.compile(r"<!-- begins with: (\S+) -->")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def said_by(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def scored_once() -> Iterator[None]:
    """Have each text scored once for all pages: its scores depend on nothing else."""
    if os.environ.get("SENTIMON_GOLDEN") == "write":
        yield
        return
    known: dict[tuple[str, str], ScoredText] = {}
    score = OnnxScorer.score

    def remembered(scorer: OnnxScorer, texts: Sequence[str]) -> list[ScoredText]:
        new = list(dict.fromkeys(text for text in texts if (scorer.revision, text) not in known))
        if new:
            known.update(
                ((scorer.revision, text), one) for text, one in zip(new, score(scorer, new), strict=True)
            )
        return [known[scorer.revision, text] for text in texts]

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(OnnxScorer, "score", remembered)
        yield


@pytest.fixture(scope="module")
def run_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], tuple[Path, str]]:
    """Return (the folder in which the examples of a page were run, the page with what they printed)."""

    @cache
    def run(page: Path) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("page") / "clone"
        text = said_by(page)
        first = _BEGINS_WITH.match(text)
        if first:
            shutil.copytree(run((page.parent / first[1]).resolve())[0], folder, symlinks=True)
        else:
            folder.mkdir()
        shell = Shell(folder)

        def again(block: re.Match[str]) -> str:
            commands = [line[2:] for line in block[1].split("\n") if line.startswith("$ ")]
            return "```console\n" + "".join(f"$ {one}\n{shell.run(one)}" for one in commands) + "```"

        with warnings.catch_warnings():
            # A command leaves open files to the end of its process.
            warnings.simplefilter("ignore", ResourceWarning)
            found = _BLOCK.sub(again, text)
            gc.collect()
        return folder, found

    return run


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_console_example_prints_what_the_page_says(
    page: Path, run_page: Callable[[Path], tuple[Path, str]]
) -> None:
    _, found = run_page(page)
    text = said_by(page)
    if os.environ.get("SENTIMON_GOLDEN") == "write":
        page.write_text(found, encoding="utf-8")
        text = found
    for said, seen in zip(_BLOCK.findall(text), _BLOCK.findall(found), strict=True):
        assert masked(said) == masked(seen)


def test_the_json_of_each_command_has_the_keys_that_the_page_lists(
    run_page: Callable[[Path], tuple[Path, str]],
) -> None:
    page = DOCS / "reference/json.md"
    shell = Shell(run_page(page)[0])
    for file in ("before", "after"):
        shell.run(f"sentimon label import sentimon/sample/{file}.jsonl --logs logs -q")
    sections = re.findall(r"^## `([^\n]+)`\n(.*?)(?=^## |\Z)", said_by(page), re.DOTALL | re.MULTILINE)
    assert len(sections) > 10
    for command, table in sections:
        listed = {
            key
            for row in re.findall(r"^\|(.*?)\|", table, re.MULTILINE)
            for key in re.findall(r"`(\w+)`", row)
        }
        found = json.loads(shell.run(f"sentimon {command} | cat").strip().split("\n")[-1])
        assert listed == set(found), command


def python_of(page: Path) -> list[str]:
    return [one.text for one in blocks(said_by(page)) if one.language == "python" and one.why_not_run is None]


@pytest.mark.parametrize("page", [page for page in WRITTEN if python_of(page)])
def test_a_python_example_runs_and_prints_what_its_comments_say(page: Path, tmp_path: Path) -> None:
    for program in python_of(page):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=True,
        )
        said = [line.split("#")[1].strip() for line in program.split("\n") if line.startswith("print(")]
        assert done.stdout.split() == said


@pytest.mark.parametrize("page", sorted(ITALIAN.glob("*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_an_italian_page_shows_what_the_english_one_does(page: Path) -> None:
    (english,) = (path for path in WRITTEN if path.name == page.name and path.parent != ITALIAN)
    assert _BLOCK.findall(said_by(page)) == _BLOCK.findall(said_by(english))


RUN = {"console", "python"}
"""Languages of blocks that tests run."""
SHOWN = {"text": str, "dockerfile": str, "toml": tomllib.loads, "json": json.loads, "yaml": yaml.safe_load,
         "xml": ElementTree.fromstring}  # fmt: skip
"""Languages of blocks that are read, with what reads them."""


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_block_is_run_or_read_or_says_why_not(page: Path) -> None:
    text = said_by(page)
    found = list(blocks(text))
    assert len(found) * 2 == len(re.findall(r"^ *```", text, re.MULTILINE))
    for block in found:
        if block.why_not_run is not None:
            if block.language == "python":
                compile(block.text, str(page), "exec")
            continue
        assert block.language in RUN | set(SHOWN), block.text
        if block.language in SHOWN:
            SHOWN[block.language](block.text)
            assert not block.text.startswith("$ "), block.text


@pytest.mark.parametrize("page", [page for page in WRITTEN if "```toml\n" in said_by(page)])
def test_settings_that_a_page_shows_are_settings(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "sentimon.toml"
    for block in blocks(said_by(page)):
        if block.language == "toml":
            file.write_text(block.text, encoding="utf-8")
            assert load_settings(file, environment={}).settings


def test_the_readme_is_short() -> None:
    assert said_by(README).count("\n") <= MOST_LINES_OF_README


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    listed = re.findall(r"^ +- .*?: (\S+\.md)$", said_by(SITE), re.MULTILINE)
    places = [DOCS / one if (DOCS / one).exists() else ROOT / one for one in listed]
    assert len(set(listed)) == len(listed)
    assert set(PAGES) - {README} <= set(places)
    assert all(place.exists() for place in places)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(SITE), "-d", str(tmp_path / "site")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/benchmarks/index.html").exists()
    pages = "".join(said_by(path) for path in (tmp_path / "site").rglob("*.html"))
    assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//', pages)


@pytest.mark.parametrize("page", [README, DOCS / "reference/exit-codes.md"])
@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_listed(page: Path, code: ExitCode) -> None:
    assert f"| {int(code)} |" in said_by(page)


@each_page
def test_every_key_a_page_names_exists(page: Path) -> None:
    # `labels.py` and `metrics.jsonl` are files.
    named = set(re.findall(rf"`((?:{'|'.join(SECTIONS)})\.\w+)[` ]", said_by(page)))
    keys = {name for name in named if name.split(".")[1] not in FILE_ENDINGS}
    assert keys <= set(setting_keys())


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    table = said_by(DOCS / "dependencies.md")
    for requirement in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]:
        name = re.split(r"[><=;\[ ]", requirement)[0]
        assert re.search(rf"\b{re.escape(name)}\b", table), name


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can name, as GitHub makes them of its headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", said_by(page), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", said_by(page), flags=re.DOTALL))


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, left = set[Path](), [README]
    while left:
        page = left.pop()
        reached.add(page)
        targets = {(page.parent / link.split("#")[0]).resolve() for link in links(page) if "://" not in link}
        left += [one for one in targets if one in PAGES and one not in reached]
    assert reached == set(PAGES)


def test_every_command_stands_in_the_table_of_the_readme() -> None:
    from docs.generate import top_level_commands

    assert re.findall(r"^\| `([a-z-]+)` \|", said_by(README), re.MULTILINE) == top_level_commands()


def test_the_generated_pages_say_what_the_program_says() -> None:
    from docs.generate import outdated

    assert not outdated(), "run `make docs`"


_OTHERS_OPTIONS = {"--build-arg", "--collector.textfile.directory", "--user", "--volume"}
"""Of node_exporter and of docker."""


@cache
def options_of_commands() -> dict[tuple[str, ...], set[str]]:
    """The options of each command, by the words that lead to it."""
    from docs.generate import commands

    found = {(): {"--version", "--install-completion", "--show-completion"}}
    for way, command in commands(get_command(app)):
        found[way] = {"--help", *(name for one in command.params for name in one.opts)}
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    known = set().union(*options_of_commands().values(), _OTHERS_OPTIONS)
    named = {name for code in names_in(page) for name in re.findall(r"(?<![\w-])--[a-z][\w.-]*", code)}
    assert named <= known


def commands_given_in(page: Path) -> Iterator[list[str]]:
    """The words after `sentimon` of each command in a block or a sentence, up to a pipe and the like."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", said_by(page), re.DOTALL)
    for line in [*"\n".join(blocks).split("\n"), *names_in(page)]:
        given = re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*sentimon ([a-z].*)", line)
        if given:
            yield shlex.split(re.split(r" [|>&#] ?", given[1])[0])


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_gives_has_these_options(page: Path) -> None:
    known = options_of_commands()
    for words in commands_given_in(page):
        way = max((way for way in known if words[: len(way)] == list(way)), key=len)
        assert way, words
        given = {word.split("=")[0] for word in words[len(way) :] if re.match(r"-{1,2}[a-z]", word)}
        assert given <= known[way], words


_WRITTEN_BY_US = re.compile(r"[a-z_]+\.(?:jsonl?|sqlite|lock)")
_OF_MODELS = {
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "before.jsonl", "after.jsonl",
}  # fmt: skip
"""Files of models, which guides describe, and of the sample."""


def test_every_file_that_the_program_names_is_described() -> None:
    page = said_by(DOCS / "reference/files.md") + said_by(DOCS / "guides/retraining.md")
    named = {
        node.value
        for path in (ROOT / "sentimon").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _WRITTEN_BY_US.fullmatch(node.value)
    }
    assert {name for name in named - _OF_MODELS if f"`{name}`" not in page} == set()


_PATH = re.compile(r"(?:sentimon|tests|configs|benchmarks|notebooks|recipes|docs)/[\w./-]*")
_DOTTED = re.compile(r"sentimon(?:\.\w+)+")


def names_in(page: Path) -> list[str]:
    inline = re.sub(r"```.*?```", "", said_by(page), flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", inline)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    for name in names_in(page):
        if _PATH.fullmatch(name):
            assert (ROOT / name).exists(), name


def test_the_architecture_names_every_room() -> None:
    rooms = {path.parent.relative_to(ROOT) for path in (ROOT / "sentimon").rglob("__init__.py")} - {
        Path("sentimon")
    }
    page = said_by(DOCS / "architecture.md")
    assert {str(room) for room in rooms if f"`{room}/`" not in page} == set()


def defined_in(path: Path) -> set[str]:
    """The names of a module, and `Class.method` of its classes; nothing is imported."""
    found = set[str]()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_dotted_name_that_a_page_names_exists(page: Path) -> None:
    for name in names_in(page):
        if not _DOTTED.fullmatch(name) or name.endswith(".toml"):
            continue
        path, parts = ROOT, name.split(".")
        while parts and (path / parts[0]).is_dir():
            path /= parts.pop(0)
        if parts:
            path /= f"{parts.pop(0)}.py"
        assert path.exists(), name
        assert not parts or ".".join(parts) in defined_in(path), name
