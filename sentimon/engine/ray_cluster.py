"""A Ray cluster for the time of a command: one that runs, or one of this machine, stopped at the end."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentimon.config.paths import expanded
from sentimon.engine.local_processes import cores
from sentimon.errors import EngineError
from sentimon.extras import require
from sentimon.files import MOST_SECRET, read_regular
from sentimon.interrupts import handlers_kept

if TYPE_CHECKING:
    from sentimon.config.settings import EngineSettings

_CLIENT = "ray://"
_AUTO = "auto"
"""The cluster that runs on this machine."""
_PATIENCE_SECONDS = 5.0
_STORE_BYTES = 1 << 28
"""Of shared memory for what tasks hand on, which is little."""
_MOST_ADDRESS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster that this process is connected to."""

    ray: Any
    """The module."""
    workers: int
    """How many workers are at work at once, at least 1."""
    settings: EngineSettings

    def failures(self) -> tuple[type[Exception], ...]:
        """Return what Ray raises where a worker, a node or an object of a task is lost."""
        return (self.ray.exceptions.RayError,)


@contextlib.contextmanager
def connected(settings: EngineSettings) -> Iterator[Cluster]:
    """Connect to the cluster that `engine.address` names; without one start one, and stop it at the end.

    Raises:
        EngineError: Ray is not installed, the cluster cannot be reached or started, or it has no CPU.
    """
    address = resolve(settings.address)
    ray = _ray(own=not address)
    with contextlib.ExitStack() as stack:
        if address:
            stack.callback(ray.shutdown)
            with handlers_kept():
                _join(ray, address)
        else:
            # Removed last, when the cluster is down.
            folder = tempfile.TemporaryDirectory(prefix="sentimon-ray-", ignore_cleanup_errors=True)
            stack.enter_context(folder)
            stack.callback(ray.shutdown)
            with handlers_kept():
                _start(ray, settings, folder.name)
        capacity = ray.cluster_resources().get("CPU", 0) / (settings.cpus_per_worker or 1)
        if capacity < 1:
            raise EngineError(
                f"the cluster at {address or 'this machine'} has too few CPUs for a worker",
                hint="lower engine.cpus_per_worker, or add machines",
            )
        yield Cluster(ray=ray, workers=settings.workers or int(capacity), settings=settings)


def resolve(address: str) -> str:
    """Return the address that `engine.address` means: itself, or what the file of that name holds.

    Raises:
        EngineError: the file holds none, or it is neither a file nor an address.
    """
    path = expanded(address)
    if not address or address == _AUTO or address.startswith(_CLIENT):
        return address
    if path.is_file():
        try:
            content = read_regular(path, most=MOST_SECRET)[:_MOST_ADDRESS].decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EngineError(
                f"{path}: cannot be read as an address: {error}", hint="see engine.address"
            ) from error
        if content.startswith(_CLIENT) or _host_and_port(content):
            return content
        raise EngineError(
            f"{path}: holds no address", hint="a line such as 10.0.0.1:6379 or ray://host:10001"
        )
    if not _host_and_port(address):
        raise EngineError(
            f"engine.address: {address!r} is neither an address nor a file",
            hint="use HOST:PORT, ray://HOST:PORT, auto, or a file that holds one",
        )
    return address


def named(error: Exception) -> Exception:
    """Return what a lost or failed task of Ray is to be called: one line, without what Ray adds around it.

    That sentimon is missing where the task ran is an EngineError.
    """
    lines = [line.strip() for line in str(error).split("\n") if line.strip()]
    said = lines[-1] if lines and hasattr(error, "cause") else next(iter(lines), type(error).__name__)
    if "No module named" in said:
        return EngineError(
            f"a worker of the cluster cannot do this: {said}",
            hint="install sentimon, of the same version as here, on all machines of the cluster",
        )
    return RuntimeError(said)


def _ray(*, own: bool) -> Any:
    # Before its import: nothing phones home, and tasks without GPUs leave them visible, as Ray will do.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if own and "RAY_AUTH_MODE" not in os.environ:
        # Nobody else on this machine may use it; and no token is left in the user's home.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    require("the Ray engine", "ray", instead="use --engine local")
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    # A thread of it prints on stdout, among the results, that a worker has died; no option turns that off.
    vars(ray._private.worker)["print_to_stdstream"] = _unsaid
    return ray


def _unsaid(*_: Any, **__: Any) -> None:
    """Print nothing."""


def _join(ray: Any, address: str) -> None:
    place = _host_and_port(address.removeprefix(_CLIENT))
    if place:
        # Ray itself would try for minutes, and then end the process.
        try:
            socket.create_connection(place, timeout=_PATIENCE_SECONDS).close()
        except OSError as error:
            raise _unreachable(address, error) from error
    _init(ray, address, address=address)


def _start(ray: Any, settings: EngineSettings, folder: str) -> None:
    _init(
        ray,
        "this machine",
        address="local",
        num_cpus=math.ceil(settings.workers * settings.cpus_per_worker) or cores(),
        include_dashboard=False,
        object_store_memory=_STORE_BYTES,
        _temp_dir=folder,
    )


def _init(ray: Any, where: str, **options: Any) -> None:
    quiet = {} if str(options.get("address", "")).startswith(_CLIENT) else {"configure_logging": False}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **quiet, **options)
    except (OSError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        raise _unreachable(where, error) from error


def _unreachable(address: str, error: Exception) -> EngineError:
    reason = str(error).strip().split("\n")[0]
    hint = "check engine.address and that the cluster is up (`ray status`), or use --engine local"
    if "Authentication" in f"{error}{error.__cause__}":
        reason = "it wants another token, or none"
        hint = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH, as the cluster has them"
    return EngineError(f"no Ray cluster at {address}: {reason}", hint=hint)


def _host_and_port(address: str) -> tuple[str, int] | None:
    host, colon, port = address.partition("/")[0].rpartition(":")
    return (host.strip("[]"), int(port)) if colon and host and port.isascii() and port.isdecimal() else None
