"""The settings of where the work runs."""

from __future__ import annotations

from dataclasses import dataclass

from sentimon.config.rules import Rule, at_least, from_to, one_of, setting

_ADDRESS = Rule(says="an address or a path, or empty", holds=lambda value: "\0" not in value)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class EngineSettings:
    """Where a long log is read and many texts are scored: on this machine, or on a Ray cluster."""

    name: str = setting(
        "local", "Where long work runs: local (all cores of this machine) or ray.", one_of("local", "ray")
    )
    address: str = setting(
        "",
        "Ray cluster: HOST:PORT, ray://HOST:PORT, auto, or a file that says it; empty: one is started here.",
        _ADDRESS,
    )
    workers: int = setting(
        0, "Workers that read and score; 0: one per core, or per CPU of the cluster.", at_least(0, most=4096)
    )
    cpus_per_worker: float = setting(1.0, "CPUs that Ray sets aside for a worker.", from_to(0, 1024))
    gpus_per_worker: float = setting(0.0, "GPUs that Ray sets aside for a scoring worker.", from_to(0, 64))
    chunk_megabytes: int = setting(
        64, "How much of a log a task of Ray reads, in steps of 16.", at_least(16, most=4096)
    )
    chunk_texts: int = setting(
        1024, "How many texts a worker of Ray scores at once.", at_least(1, most=1_000_000)
    )
    smallest_megabytes: int = setting(
        2000, "Size of log to read below which this machine reads it, and no cluster.", at_least(0)
    )
    smallest_texts: int = setting(
        20_000, "Texts to score below which this machine scores them, and no cluster.", at_least(0)
    )
