"""`sentimon logs verify`: the log read as a whole, and held against its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.reading import note_trouble
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.prediction_log.index.period_sums import PeriodSums
    from sentimon.prediction_log.log_file import LogFile
    from sentimon.prediction_log.summary import Summary


def verify(logs: LogsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """Read the whole log, and tell whether every line is good and the index says what the files say.

    An index that says something else is removed, to be made anew. Exit code: 0 all is well, 3 there are
    bad lines or the index was wrong.

    Example: sentimon logs verify --logs logs/
    """
    from sentimon.prediction_log.maintenance.rewriting import find_strays
    from sentimon.reporting.json_shapes import verified_object
    from sentimon.reporting.log_tables import verified_table

    session = start(config, {"logs.dir": logs})
    files, wrong, whole = _read_twice(session)
    indexed = session.index_file is not None
    strays = find_strays(session.folder)
    if as_json:
        show_json(verified_object(session.folder, files, wrong, strays, indexed=indexed))
    else:
        show(verified_table(files, wrong, indexed=indexed))
    note_trouble(session, whole)
    for path in strays:
        note(f"not part of the log: {path}")
    if wrong:
        session.forget_index()
        note(
            f"the index was wrong about {counted(len(wrong), 'file')} and is removed; a new one makes itself"
        )
    if whole.bad_count:
        note("`sentimon logs repair` moves bad lines out of the log")
    leave(ExitCode.FINDING if wrong or whole.bad_count else ExitCode.OK)


def _read_twice(session: Session) -> tuple[list[tuple[LogFile, Summary]], list[Path], Summary]:
    from sentimon.prediction_log.index.verification import differing_files
    from sentimon.prediction_log.windows import Period

    index = session.index
    wrong: dict[Path, None] = {}

    def question(sums: PeriodSums) -> tuple[list[tuple[LogFile, Summary]], list[Path], Summary]:
        differing = differing_files(sums, now=session.now, run=index.run) if session.index_file else []
        # A damaged index is made anew at once, and the question is put again.
        wrong.update((one.path, None) for one in differing)
        return sums.by_file(), [*wrong], sums.summary(Period())

    return index.ask(question)
