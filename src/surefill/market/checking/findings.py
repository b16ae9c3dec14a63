"""What a check finds: errors, which no reader takes, and warnings, by which a file may not mean what it says."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from surefill.errors import InputError

Level = Literal["error", "warning"]
LISTED_PER_CODE: Final = 20
#: By a guessed calendar, that knows no holidays, only so many days without a bar are worth a word of their own.
LONG_DAYS: Final = 4


class Finding(msgspec.Struct, frozen=True):
    """One thing found. `line` counts from 1 (of Parquet: the row), 0 where it is about the whole file."""

    level: Level
    code: str
    text: str
    line: int = 0
    column: str = ""
    value: str = ""


class Findings:
    """What was found in one file: all is counted, of each code the first `listed` are kept."""

    def __init__(self, listed: int = LISTED_PER_CODE) -> None:
        self.counts: dict[str, int] = {}
        self.kept: list[Finding] = []
        self.errors = 0
        self.warnings = 0
        self._listed = listed

    def add(self, finding: Finding) -> None:
        """Count it, and keep it unless there are enough of its kind."""
        count = self.counts[finding.code] = self.counts.get(finding.code, 0) + 1
        if finding.level == "error":
            self.errors += 1
        else:
            self.warnings += 1
        if count <= self._listed:
            self.kept.append(finding)

    def warn(self, code: str, text: str, line: int = 0) -> None:
        """Something odd."""
        self.add(Finding("warning", code, text, line))

    def fault(self, error: InputError) -> None:
        """Something that a reader refuses."""
        values = error.values
        line, column, value = values.get("line"), values.get("column"), values.get("value")
        self.add(
            Finding(
                "error",
                str(values.get("reason") or error.code),
                error.message,
                line if isinstance(line, int) else 0,
                "" if column is None else str(column),
                "" if value is None else str(value)[:80].strip("'"),
            )
        )
