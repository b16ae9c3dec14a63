"""How a command ended: numbers that scripts can rely on."""

from __future__ import annotations

import enum

from surefill import errors


class ExitCode(enum.IntEnum):
    """The exit codes of `surefill`; `MEANINGS` says what each means."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIG = 3
    INPUT = 4
    JOURNAL = 5
    REFUSED = 6
    VERIFICATION = 7
    REMOTE = 8
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "it is done",
    ExitCode.INTERNAL: "a defect of surefill: run again with --debug and report what it shows",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.CONFIG: "a setting is wrong, or says what is not there yet",
    ExitCode.INPUT: "a value, a file or a strategy is wrong; nothing was done",
    ExitCode.JOURNAL: "the journal is missing, locked by another process, full or unreadable",
    ExitCode.REFUSED: "the workspace is halted, or the engine would not",
    ExitCode.VERIFICATION: "something does not add up: the journal, a replay, positions, a check of doctor",
    ExitCode.REMOTE: "a venue, a running engine or a cluster did not answer, or refused",
    ExitCode.INTERRUPTED: "interrupted from the keyboard; a sweep that was canceled",
}

# The first class that fits: the finer ones come first.
_CODES: tuple[tuple[type[errors.SurefillError], ExitCode], ...] = (
    (errors.ConfigError, ExitCode.CONFIG),
    (errors.LocalError, ExitCode.INPUT),
    (errors.JournalCorrupt, ExitCode.VERIFICATION),
    (errors.JournalError, ExitCode.JOURNAL),
    (errors.WorkspaceHalted, ExitCode.REFUSED),
    (errors.RemoteError, ExitCode.REMOTE),
    (errors.InvariantBreach, ExitCode.VERIFICATION),
)


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that an error ends with."""
    from surefill.engine.control_client import ControlRefused

    if isinstance(error, ControlRefused):
        return ExitCode.REFUSED
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.INTERNAL
