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

    from sentimon.monitoring.class_mix_drift import DriftReport
    from sentimon.monitoring.drift_decision import Verdict
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.prediction_metrics import Metrics
    from sentimon.monitoring.retraining_rules import RetrainingTrigger
    from sentimon.monitoring.slice_comparison import FieldComparison
    from sentimon.monitoring.slice_metrics import FieldMetrics
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.prediction_log.output_files import OutputFile
    from sentimon.prediction_log.summary import Summary
    from sentimon.reporting.prometheus_text import Family
    from sentimon.workflows.workspace import Workspace

STDOUT = Path("-")
_STDOUT_TOO = Path("/dev/stdout")


class Recording:
    """The file that a run leaves for Prometheus; used as a context around the command.

    It is written when the context ends. A run that fails leaves no values: they would be those of an
    earlier run. What it keeps of the file before is when the last success was.
    """

    def __init__(self, path: Path) -> None:
        self.path = STDOUT if path == _STDOUT_TOO else path
        self._output: OutputFile | None = None
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

        if not path.strip() or Path(path) in (STDOUT, _STDOUT_TOO):
            hint = "`sentimon export prometheus` prints to stdout"
            raise UsageError("--prometheus names no file", hint=hint)
        return cls(expanded(path))

    def of(self, command: str) -> Recording:
        """Return itself, as the recording of that command."""
        self._command = command
        return self

    def check(
        self, logs: str | None, config: Path | None, *inputs: Path | None, quiet: bool = False
    ) -> Recording:
        """Return itself, once it is sure that its file may be written; `inputs` are what the command reads.

        Raises:
            UsageError: it is a file of the log, an input, no regular file, or its folder is not there.
            StoreError: the system does not tell what is there.
        """
        from sentimon.prediction_log.output_files import PROMETHEUS, checked_output, is_prometheus_name

        if self.path == STDOUT:
            return self
        log, read = _log_and_inputs(logs, config, inputs)
        self._output = checked_output(self.path, PROMETHEUS, log=log, inputs=read)
        if not (quiet or is_prometheus_name(self.path)):
            note(f"{self.path}: node_exporter reads only names that end in .prom")
        return self

    def keep_metrics(self, workspace: Workspace, summary: Summary, metrics: Metrics) -> None:
        """Export what a summary says."""
        from sentimon.reporting.prometheus_text import metrics_families

        self._log = workspace.source
        self._families += metrics_families(summary, metrics, workspace.labels)

    def keep_slices(self, workspace: Workspace, slices: FieldMetrics) -> None:
        """Export the slices of a period by one field."""
        from sentimon.reporting.prometheus_text import slice_families

        self._families += slice_families(slices, workspace.labels)

    def keep_drift(
        self, workspace: Workspace, report: DriftReport, by: FieldComparison | None = None
    ) -> None:
        """Export a comparison, also `by` the slices of a field; its verdict is how the run ended."""
        from sentimon.reporting.prometheus_text import drift_families, slice_drift_families

        self._log = workspace.source
        self._families += drift_families(report)
        if by is not None:
            self._families += slice_drift_families(by)
        self._found = _code_of_verdict(report.verdict)

    def keep_monitor(self, workspace: Workspace, report: MonitorReport) -> None:
        """Export a look of the monitor; its verdict is how the run ended."""
        from sentimon.reporting.prometheus_text import monitor_families

        self._log = workspace.source
        self._families += monitor_families(report)
        self._found = _code_of_verdict(report.verdict)

    def keep_retraining(self, workspace: Workspace, trigger: RetrainingTrigger) -> None:
        """Export a decision, which is how the run ended."""
        from sentimon.reporting.prometheus_text import retraining_families

        self._log = workspace.source
        self._families += retraining_families(trigger)
        unsure = not trigger.decided
        self._found = (
            ExitCode.FINDING if trigger.triggered else ExitCode.NO_VERDICT if unsure else ExitCode.OK
        )

    def keep_traffic(self, report: TrafficReport | None) -> None:
        """Export whether rows still come, if anybody looked; it changes nothing of how the run ended."""
        from sentimon.reporting.prometheus_text import traffic_families

        if report is None:
            return
        families = traffic_families(report)
        # The time of the newest row is part of the metrics, too, with rows dated in the future.
        names = {one.name for one in families}
        self._families = [one for one in self._families if one.name not in names] + families

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
        from sentimon.reporting.prometheus_text import FAILED

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
        if self._output is None:
            if not failed:
                sys.stdout.write(self._text(code, ""))
            return
        try:
            self._output.write(self._text(code, _text_at(self.path)).encode())
        except StoreError as error:
            if not failed:
                raise
            # The command's own error is the one that ends it.
            note(f"{error.message}: what it says is out of date")

    def _text(self, code: ExitCode, before: str) -> str:
        import sentimon
        from sentimon.cli.opening import clock
        from sentimon.reporting.prometheus_text import RunFacts, read_values, render, run_families

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
        given = (options.get("file"), options.get("calibration"))
        recording.check(options["logs"], options["config"], *given, quiet=options.get("quiet", False))
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


def _log_and_inputs(
    logs: str | None, config: Path | None, inputs: tuple[Path | None, ...]
) -> tuple[Path, tuple[Path, ...]]:
    """Return (the folder of the log, the files that are read), as far as the settings can be read."""
    from sentimon.cli.opening import open_workspace

    try:
        workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
        return workspace.folder, workspace.inputs(config, *inputs)
    except SentimonError:
        # What is wrong is said by the command itself, and recorded.
        return Path(logs or "logs"), tuple(one for one in (config, *inputs) if one is not None)


def _code_of_verdict(verdict: Verdict) -> ExitCode:
    codes = {"stable": ExitCode.OK, "drift": ExitCode.FINDING, "no verdict": ExitCode.NO_VERDICT}
    return codes[verdict.value]


def _text_at(path: Path) -> str:
    """Return what the file at `path` says, nothing where there is none or it cannot be read."""
    try:
        return "" if not path.is_file() else path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
