"""What a command shows: one result on standard output, progress and notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Draw = Callable[["Console"], None]
Progress = Callable[[int, int], None]

PIPE_WIDTH = 200  # where nobody looks at a screen, nothing is cut to its width


def show(result: object, draw: Draw, *, as_json: bool) -> None:
    """Print the result: as one JSON document, or drawn for a person."""
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(result, enc_hook=str), indent=2).decode() + "\n")
    else:
        draw(_console())


def show_line(line: object) -> None:
    """One JSON document on a line of its own, for what comes as a stream."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(line, enc_hook=str).decode() + "\n")


def note(text: str) -> None:
    """A remark beside the result."""
    print(text, file=sys.stderr)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()) -> Table:
    """A table; the columns named in `right` are figures."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, box=box.SIMPLE, title_justify="left", pad_edge=False)
    figures = set(right)
    for column in columns:
        made.add_column(column, justify="right" if column in figures else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made


def facts(title: str, pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line."""
    made = table(title, ("", " "), [pair for pair in pairs if pair[1] != ""])
    made.show_header = False
    return made


@contextmanager
def progress(label: str, *, as_json: bool) -> Iterator[Progress]:
    """A bar on standard error, fed with (done, all); silent where nobody looks."""
    if as_json or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns: tuple[Any, ...] = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield moved


def _console() -> Console:
    from rich.console import Console

    class Here(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to `cli.app`, which knows that this is no failure."""
            raise

    # No emoji: a switch called symbol:A: is not a letter in a box.
    return Here(emoji=False) if sys.stdout.isatty() else Here(width=PIPE_WIDTH, soft_wrap=False, emoji=False)
