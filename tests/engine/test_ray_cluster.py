"""What an address means, without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentimon.config.settings import EngineSettings
from sentimon.engine import ray_cluster as cluster
from sentimon.engine.ray_cluster import named, resolve
from sentimon.errors import EngineError


@pytest.mark.parametrize(
    "address", ["", "auto", "10.0.0.1:6379", "head.example:6379", "[::1]:6379", "ray://head:10001"]
)
def test_an_address_is_itself(address: str) -> None:
    assert resolve(address) == address


@pytest.mark.parametrize("address", ["10.0.0.1:6379", "ray://head:10001"])
def test_a_file_may_hold_it(tmp_path: Path, address: str) -> None:
    (tmp_path / "address").write_text(f"  {address}\n")
    assert resolve(str(tmp_path / "address")) == address


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b"head:port", b"\n" * 1000])
def test_a_file_that_holds_none_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "address"
    path.write_bytes(content)
    with pytest.raises(EngineError, match="address") as caught:
        resolve(str(path))
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "/no/such/file", "head:port", "local"])
def test_what_is_no_address_is_an_error(address: str) -> None:
    with pytest.raises(EngineError, match="neither an address nor a file"):
        resolve(address)


@pytest.mark.parametrize(
    ("workers", "cpus", "has"), [(1, 2.0, 2), (3, 1.0, 3), (3, 0.5, 2), (0, 2.0, cluster.cores())]
)
def test_a_cluster_of_its_own_has_the_cpus_that_its_workers_take(
    monkeypatch: pytest.MonkeyPatch, workers: int, cpus: float, has: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(cluster, "_init", lambda ray, where, **options: asked.append(options["num_cpus"]))
    cluster._start(None, EngineSettings(workers=workers, cpus_per_worker=cpus), "/tmp/x")
    assert asked == [has]


def test_that_sentimon_is_missing_on_a_machine_is_told_from_a_lost_worker() -> None:
    lost, missing = (
        named(RuntimeError("The worker died\nlong story")),
        named(TaskError("No module named 'sentimon'")),
    )
    assert (str(lost), type(lost)) == ("The worker died", RuntimeError)
    assert isinstance(missing, EngineError)
    assert missing.hint is not None
    assert "install sentimon" in missing.hint


class TaskError(Exception):
    """As Ray tells of an error of the task: what happened comes last."""

    cause = None

    def __str__(self) -> str:
        return f"ray::_read() (pid=1)\n  File ...\n{self.args[0]}\n"
