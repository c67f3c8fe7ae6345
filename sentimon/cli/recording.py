"""A run of a command, recorded for Prometheus: what it found, and, whatever happens, how it ended."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.output import note
from sentimon.errors import ExitCode, SentimonError, StoreError, UsageError
from sentimon.interrupts import Ended

if TYPE_CHECKING:
    from types import TracebackType

    from sentimon.cli.session import Session
    from sentimon.logbook.summary import Summary
    from sentimon.monitoring.drift import DriftReport, Verdict
    from sentimon.monitoring.metrics import Metrics
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.retraining import RetrainingTrigger
    from sentimon.reporting.prometheus import Family

STDOUT = Path("-")
_READABLE = 0o644
"""node_exporter runs as a user of its own."""


class Recording:
    """The file that a run leaves for Prometheus; used as a context around the command.

    It is written when the context ends. A run that fails leaves no values: they would be those of an
    earlier run. What it keeps of the file before is when the last success was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._command = ""
        self._log: str | None = None
        self._found = ExitCode.OK
        self._families: list[Family] = []
        self._begun = time.monotonic()

    @classmethod
    def at(cls, path: str) -> Recording:
        """Return the recording that goes to the file at `path`.

        Raises:
            UsageError: no file is named.
        """
        from sentimon.config.paths import expanded

        if not path.strip() or Path(path) == STDOUT:
            hint = "`sentimon export prometheus` prints to stdout"
            raise UsageError("--prometheus names no file", hint=hint)
        return cls(expanded(path))

    def of(self, command: str) -> Recording:
        """Return itself, as the recording of that command."""
        self._command = command
        return self

    def keep_metrics(self, session: Session, summary: Summary, metrics: Metrics) -> None:
        """Export what a summary says."""
        from sentimon.reporting.prometheus_values import metrics_families

        self._log = session.source
        self._families += metrics_families(summary, metrics)

    def keep_drift(self, session: Session, report: DriftReport) -> None:
        """Export a comparison; its verdict is how the run ended."""
        from sentimon.reporting.prometheus_values import drift_families

        self._log = session.source
        self._families += drift_families(report)
        self._found = _code_of_verdict(report.verdict)

    def keep_monitor(self, session: Session, report: MonitorReport) -> None:
        """Export a look of the monitor; its verdict is how the run ended."""
        from sentimon.reporting.prometheus_values import monitor_families

        self._log = session.source
        self._families += monitor_families(report)
        self._found = _code_of_verdict(report.verdict)

    def keep_retraining(self, session: Session, trigger: RetrainingTrigger) -> None:
        """Export a decision, which is how the run ended."""
        from sentimon.reporting.prometheus_values import retraining_families

        self._log = session.source
        self._families += retraining_families(trigger)
        unsure = not trigger.decided
        self._found = (
            ExitCode.FINDING if trigger.triggered else ExitCode.NO_VERDICT if unsure else ExitCode.OK
        )

    def found_nothing(self) -> None:
        """Have the run end with 0 whatever was found: it was to write, not to judge."""
        self._found = ExitCode.OK

    def __enter__(self) -> Recording:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the file.

        Raises:
            StoreError: it cannot be written, and the run itself has not failed.
        """
        from sentimon.reporting.prometheus_values import FAILED

        code = self._code_of(error)
        try:
            # What could not be printed has failed, also where that shows only now.
            sys.stdout.flush()
        except OSError:
            code = ExitCode.FAILURE
            raise
        finally:
            self._write(code, failed=code in FAILED)

    def _code_of(self, error: BaseException | None) -> ExitCode:
        if isinstance(error, typer.Exit) and error.exit_code:
            return ExitCode(error.exit_code)
        if error is None or isinstance(error, typer.Exit):
            # --exit-zero is for the caller; here it is said what was found.
            return self._found
        if isinstance(error, SentimonError):
            return error.exit_code
        if isinstance(error, Ended):
            return ExitCode(error.exit_code)
        return ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.FAILURE

    def _write(self, code: ExitCode, *, failed: bool) -> None:
        from sentimon.logbook.files import replace_file

        try:
            if self.path == STDOUT:
                if not failed:
                    sys.stdout.write(self._text(code, ""))
                return
            before = _text_at(self.path)
            replace_file(self.path, self._text(code, before).encode(), mode=_READABLE)
        except StoreError as error:
            if not failed:
                raise
            # The command's own error is the one that ends it.
            note(f"{error.message}: what it says is out of date")

    def _text(self, code: ExitCode, before: str) -> str:
        import sentimon
        from sentimon.cli.session import clock
        from sentimon.reporting.prometheus import read_values, render
        from sentimon.reporting.prometheus_values import RunFacts, run_families

        run = RunFacts(
            command=self._command,
            version=sentimon.__version__,
            log=self._log,
            code=code,
            ended=clock(),
            duration_seconds=time.monotonic() - self._begun,
        )
        # One label tells files of one folder apart, so that no two hold the same sample.
        common = {"source": "sentimon" if self.path == STDOUT else self.path.stem}
        families = [
            *(self._families if run.succeeded else []),
            *run_families(run, common, read_values(before)),
        ]
        return render(families, common)


def recorded(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command`, recorded where its option `prometheus` is given."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        recording: Recording | None = options["prometheus"]
        context: typer.Context | None = options.get("context")
        # Where a command below it is named, that one does the work, and this one nothing.
        if recording is None or (context is not None and context.invoked_subcommand):
            command(**options)
            return
        with recording.of(command.__name__.replace("_", "-")):
            command(**options)

    return run


PrometheusOption = Annotated[
    Recording | None,
    typer.Option(
        "--prometheus",
        metavar="FILE",
        parser=Recording.at,
        help="Also write it for node_exporter's textfile collector; the name should end in .prom.",
    ),
]


def _code_of_verdict(verdict: Verdict) -> ExitCode:
    codes = {"stable": ExitCode.OK, "drift": ExitCode.FINDING, "no verdict": ExitCode.NO_VERDICT}
    return codes[verdict.value]


def _text_at(path: Path) -> str:
    """Return what the file at `path` says, nothing where there is none or it cannot be read.

    Raises:
        StoreError: something else than a file is there, which must not be replaced by one.
    """
    try:
        if path.exists() and not path.is_file():
            hint = "name a file in the folder that node_exporter reads"
            raise StoreError(f"{path}: is not a file", hint=hint)
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
