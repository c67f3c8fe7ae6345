"""The files of a model, copied into the registry: those of its own folder, and nothing that links lead to.

A folder of the HuggingFace cache holds links: `models--owner--name/snapshots/<commit>/config.json` leads to
`models--owner--name/blobs/<hash>`. Such links are followed, as are those to files of the folder itself.
Any other could lead to what its owner shows nobody, and the copy would show it: it is refused by name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from sentimon.errors import ModelError
from sentimon.files import PRIVATE, NotOursError, open_own, unreadable

_HUB_FOLDER, _SNAPSHOTS, _BLOBS = "models--", "snapshots", "blobs"
_READABLE = 0o644


def copy_model(source: Path, target: Path) -> None:
    """Copy the files of the model in `source` into the folder `target`, which is there, onto the disk.

    Folders in it are left out: no model is loaded from them. A copy may be read by whom the file may
    be read by, and run by nobody.

    Raises:
        ModelError: it holds a link that leads out of it, or something that is no file.
        StoreError: a file of it cannot be read.
        OSError: the copy cannot be written, or the disk is full.
    """
    # Once: a link such as `models/current` may be switched meanwhile.
    source = source.resolve()
    try:
        paths = sorted(source.iterdir())
    except OSError as error:
        raise unreadable(source, error) from error
    for path in paths:
        if not path.is_dir():
            _copy(_inside(path, source), path.name, target)


def _inside(path: Path, source: Path) -> Path:
    """Return the file itself: `path`, or what the link there leads to.

    Raises:
        ModelError: it lies neither in `source` nor among the blobs of the same model of the hub's cache.
    """
    if not path.is_symlink():
        return path
    with contextlib.suppress(OSError, RuntimeError):
        found = path.resolve(strict=True)
        if found.parent in (source, *_blobs_of(source)):
            return found
    raise ModelError(
        f"{path}: is a link that leads out of the folder of the model, to {path.readlink()}",
        hint="put the file itself there, or remove the link",
    )


def _blobs_of(source: Path) -> tuple[Path, ...]:
    """Return the folder of blobs that belongs to a snapshot in the cache of the hub; nothing elsewhere."""
    known = source.parent.name == _SNAPSHOTS and source.parent.parent.name.startswith(_HUB_FOLDER)
    return (source.parent.parent / _BLOBS,) if known else ()


def _copy(path: Path, name: str, target: Path) -> None:
    try:
        descriptor = open_own(path, os.O_RDONLY)
    except NotOursError as error:
        hint = "a model consists of files: remove it"
        raise ModelError(f"{path}: {error.strerror}", hint=hint) from error
    except OSError as error:
        raise unreadable(path, error) from error
    with os.fdopen(descriptor, "rb") as old, (target / name).open("xb") as new:
        os.fchmod(new.fileno(), os.fstat(descriptor).st_mode & _READABLE | PRIVATE)
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
