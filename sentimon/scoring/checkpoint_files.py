"""Where a model's files are: a folder, or the local HuggingFace cache, filled from the hub when it may be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentimon.config.paths import expanded
from sentimon.errors import ModelError
from sentimon.files import open_regular

CONFIG_FILE = "config.json"
SAFE_WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors")
PICKLED_WEIGHTS = ("pytorch_model.bin", "pytorch_model-*-of-*.bin")
_TEXT_FILES = ("*.json", "*.txt", "*.model", "*.codes")
_SUBFOLDERS = ("*/*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The folder that holds a model, and what tells this version of it from another."""

    name: str
    folder: Path
    revision: str
    """The commit of a model from the hub; of a plain folder the start of a hash of its files."""


def find_checkpoint(name: str, revision: str = "") -> Checkpoint:
    """Return where the small files of a model are; its weights may still be missing (`fetch_weights`).

    `name` is a folder or a HuggingFace id, `revision` a branch, tag or commit of the id, or the hash
    that `Checkpoint.revision` gave for a folder; empty: `main`, or the folder as it is.

    Raises:
        ModelError: neither exists or can be reached, or the revision is another one.
    """
    check_place(name)
    folder = expanded(name)
    if folder.is_dir():
        return _local(name, folder, revision)
    found = _download(name, revision or "main", _TEXT_FILES)
    if not (found / CONFIG_FILE).is_file():
        raise ModelError(f"{name} holds no {CONFIG_FILE}", hint="name a transformers model")
    return Checkpoint(name=name, folder=found, revision=found.name)


def check_place(name: str) -> None:
    """Check that `name` may be a model, as far as a look at the disk tells.

    Raises:
        ModelError: it means a folder that is not there, or that holds no model.
    """
    folder = expanded(name)
    if not folder.is_dir():
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            hint = "name the folder of a model, or a HuggingFace id"
            raise ModelError(f"{name}: no such folder", hint=hint)
    elif not (folder / CONFIG_FILE).is_file():
        hint = "name the folder that a transformers model was saved to"
        raise ModelError(f"{name} holds no {CONFIG_FILE}", hint=hint)


def fetch_weights(checkpoint: Checkpoint) -> None:
    """See that the weights lie in the checkpoint's folder: safetensors, else a `.bin`.

    Everything is loaded from the folder afterwards. Given the hub id instead, transformers asks an
    online service to convert a `.bin`, and sends the user's token along.

    Raises:
        ModelError: there are none, or they cannot be fetched.
    """
    for patterns in (SAFE_WEIGHTS, PICKLED_WEIGHTS):
        if _is_of_hub(checkpoint):
            # Also where some are there: an interrupted download may lack a part.
            _download(checkpoint.name, checkpoint.revision, patterns)
        if _matching(checkpoint.folder, patterns):
            return
    raise ModelError(
        f"{checkpoint.name} holds no weights",
        hint=f"it needs {SAFE_WEIGHTS[0]} or {PICKLED_WEIGHTS[0]}; an offline cache may be incomplete",
    )


def _local(name: str, folder: Path, revision: str) -> Checkpoint:
    actual = _content_hash(folder)
    if not actual.startswith(revision):
        raise ModelError(
            f"{name} is at revision {actual}, not at {revision}",
            hint="model.revision of a folder is the hash of its files; leave it empty to take any",
        )
    return Checkpoint(name=name, folder=folder, revision=actual)


def _content_hash(folder: Path) -> str:
    weights = _matching(folder, SAFE_WEIGHTS) or _matching(folder, PICKLED_WEIGHTS)
    whole = hashlib.sha256()
    for path in sorted({*_matching(folder, _TEXT_FILES), *weights}):
        try:
            with open_regular(path) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}", hint="check the files of the model") from error
        whole.update(f"{path.name} {digest}\n".encode())
    return whole.hexdigest()[:12]


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]


def _is_of_hub(checkpoint: Checkpoint) -> bool:
    return not expanded(checkpoint.name).is_dir()


def _download(name: str, revision: str, patterns: Sequence[str]) -> Path:
    # Loaded only where there is something to fetch: a folder needs nothing of the hub.
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub import errors as hub

    if constants.HF_HUB_CACHE.startswith("~"):
        # It would make a folder called `~` where the program runs.
        raise ModelError(
            f"{name}: the user has no home folder to keep it in", hint="set HF_HOME, or name a folder"
        )
    try:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=list(patterns), ignore_patterns=list(_SUBFOLDERS)
            )
        )
    except hub.HFValidationError as error:
        raise ModelError(
            f"{name!r} is neither a folder nor a HuggingFace id", hint="an id looks like owner/model"
        ) from error
    except hub.GatedRepoError as error:
        raise ModelError(
            f"{name} is gated on HuggingFace", hint="accept its terms on its page, then run `hf auth login`"
        ) from error
    except hub.RevisionNotFoundError as error:
        raise ModelError(
            f"{name} has no revision {revision!r}", hint="give a branch, tag or commit as model.revision"
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise ModelError(
            f"{name}: no such model on HuggingFace, and no such folder",
            hint="check the spelling; a private model needs `hf auth login`",
        ) from error
    except hub.LocalEntryNotFoundError as error:
        # Newer versions of the hub client refuse a cached snapshot that lacks files which the
        # patterns allow but the model may not need; what is missing is noticed when it is loaded.
        snapshot = getattr(error, "snapshot_path", None)
        if snapshot is not None:
            return Path(snapshot)
        raise _unreachable(name, revision) from error
    # The error of whichever HTTP library this version of the hub client uses.
    except (OSError, hub.HTTPError) as error:  # type: ignore[attr-defined]
        raise _unreachable(name, revision) from error


def _unreachable(name: str, revision: str) -> ModelError:
    at = "" if revision == "main" else f" at revision {revision}"
    return ModelError(
        f"{name}{at} is not a folder, not in the local HuggingFace cache, and cannot be downloaded",
        hint="check the spelling and the network (HF_HUB_OFFLINE=1 forbids downloads), or name a folder",
    )
