"""Rows of a CSV file, and every way in which the file itself can be wrong, told with its line."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, cast

from surefill.errors import InputError

CsvSource = str | Path | bytes | BinaryIO
OnFault = Callable[[InputError], None]

INVALID_CSV: Final = "INVALID_CSV"
_BLOCK_CHARS: Final = 1 << 16


class CsvRows:
    """One CSV file while it is read: its name, its header, the line reached.

    `source` is a path, the bytes themselves, or an open binary file; gzip is recognised by its first bytes, a byte
    order mark is skipped. Memory does not grow with the file. Errors are InputError: FILE_READ_ERROR, INVALID_CSV.
    `header` names the columns of a file that does not. With `on_fault`, a row that has not as many cells as the header
    is told to it and left out, instead of raised.
    """

    def __init__(
        self,
        source: CsvSource,
        *,
        name: str = "",
        delimiter: str = ",",
        header: Sequence[str] = (),
        on_fault: OnFault | None = None,
    ) -> None:
        self.name = name or (str(source) if isinstance(source, str | Path) else "the CSV")
        self.header: list[str] = list(header)
        self.is_plain = True  # whether the text read so far is such that float() takes only what we would
        self.ends_with_line = True  # whether the text read so far ends where a line ends
        self._source = source
        self._delimiter = delimiter
        self._on_fault = on_fault
        self._csv = csv.reader(())

    @property
    def line(self) -> int:
        """The number of the line read last; 0 before the first."""
        return self._csv.line_num

    def __iter__(self) -> Iterator[list[str]]:
        """The rows below the header, as many cells as the header has. Blank lines are skipped."""
        try:
            with _opened(self._source) as binary, _decoded(binary) as text:
                lines = chain.from_iterable(self._blocks(text))
                self._csv = csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True)
                if not self.header:
                    self._read_header()
                yield from self._rows()
        except FileNotFoundError:
            raise InputError(f"{self.name} does not exist; check the path", code="FILE_READ_ERROR") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.refuse(f"the compressed file is cut off or damaged ({error}); fetch it again", error)
        except UnicodeDecodeError as error:
            self.refuse("the text after this line is not UTF-8; save the file as UTF-8", error)
        except csv.Error as error:
            self.refuse(f"this is not CSV ({error}); mend the line", error)
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {error}", code="FILE_READ_ERROR") from error

    def refuse(self, what: str, cause: Exception | None = None, *, line: int | None = None) -> NoReturn:
        """Raise InputError about a line; the one reached if none is given."""
        raise self._error(what, self.line if line is None else line) from cause

    def _error(self, what: str, line: int, reason: str = "") -> InputError:
        where = f"{self.name}, line {line}" if line else self.name
        return InputError(f"{where}: {what}", code=INVALID_CSV, line=line, **({"reason": reason} if reason else {}))

    def _blocks(self, text: io.TextIOWrapper) -> Iterator[list[str]]:
        while lines := text.readlines(_BLOCK_CHARS):
            block = "".join(lines)
            if "_" in block or not block.isascii():
                self.is_plain = False
            self.ends_with_line = lines[-1].endswith(("\n", "\r"))
            yield lines

    def _rows(self) -> Iterator[list[str]]:
        width = len(self.header)
        rows: Iterator[list[str]] = self._csv
        while True:
            for row in rows:
                if len(row) == width:
                    yield row
                elif row:
                    break
            else:
                return
            line, after = self.line, next(self._csv, None)
            is_cut = after is None and len(row) < width
            error = self._error(_wrong_width(row, width, is_cut=is_cut), line, "CUT_OFF" if is_cut else "WRONG_WIDTH")
            if self._on_fault is None:
                raise error
            self._on_fault(error)
            rows = self._csv if after is None else chain((after,), self._csv)

    def _read_header(self) -> None:
        header = next(self._csv, None)
        if header is None:
            self.refuse("the file is empty; its first line must name the columns")
        self.header = [cell.strip() for cell in header]
        if len(header) == 1:
            for other in ";\t|,":
                if other in header[0]:
                    self.refuse(
                        f"the columns are separated by {other!r}, not by {self._delimiter!r}: write the file with"
                        f" {self._delimiter!r} (a program may give delimiter={other!r})"
                    )


def column_indexes(rows: CsvRows, wanted: Mapping[str, tuple[str, ...]], optional: frozenset[str]) -> dict[str, int]:
    """Where each wanted column is, by any of its names, whatever the case. Raises InputError (INVALID_CSV)."""
    lowered = [cell.lower() for cell in rows.header]
    found: dict[str, int] = {}
    for column, names in wanted.items():
        at = [index for name in names for index, cell in enumerate(lowered) if cell == name]
        if len(at) > 1:
            rows.refuse(f"column {rows.header[at[0]]} is there twice; remove or rename one", line=1)
        if at:
            found[column] = at[0]
        elif column not in optional:
            rows.refuse(_missing(column, names, rows.header), line=1)
    return found


def _wrong_width(row: list[str], width: int, *, is_cut: bool) -> str:
    what = f"{len(row)} columns where the header has {width} ({_shown(row)})"
    if is_cut:
        return f"{what}; the file ends in the middle of a row, fetch it again"
    return f"{what}; mend the line (a decimal comma must be a point)"


def _missing(column: str, names: tuple[str, ...], header: list[str]) -> str:
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    hint = "; the file seems to have no header line, add one" if header and header[0][:1].isdigit() else ""
    return f"there is no column {column}{others}; the header is {_shown(header)}{hint}"


def _shown(row: list[str]) -> str:
    text = ",".join(row)
    return repr(text if len(text) <= 80 else text[:77] + "...")


@contextmanager
def _opened(source: CsvSource) -> Iterator[BinaryIO]:
    """The bytes of the source, decompressed where they are gzip. What the caller opened, the caller closes."""
    with ExitStack() as stack:
        if isinstance(source, str | Path):
            buffered = stack.enter_context(Path(source).open("rb"))
        else:
            raw = io.BytesIO(source) if isinstance(source, bytes) else source
            buffered = io.BufferedReader(cast(io.RawIOBase, raw))
            stack.callback(buffered.detach)
        if buffered.peek(2)[:2] == b"\x1f\x8b":
            yield stack.enter_context(cast(BinaryIO, gzip.GzipFile(fileobj=buffered)))
        else:
            yield buffered


@contextmanager
def _decoded(binary: BinaryIO) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
    try:
        yield text
    finally:
        text.detach()
