"""The group data: look files of market data through, and turn others' into ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.options import AsJson
from surefill.cli.output import facts, note, progress, show, table

if TYPE_CHECKING:
    from surefill.market.checking import FileReport

group = typer.Typer(name="data", help="Check files of market data, and import others.", no_args_is_help=True)

Timeframe = Annotated[
    str | None, typer.Option("--timeframe", help="How long a bar lasts.", show_default="what the rows say")
]
Calendar = Annotated[
    str | None,
    typer.Option("--calendar", help="When the market trades: nse, us_equities, 24x7, …", show_default=False),
]
Zone = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="Of times without an offset.", show_default="UTC")
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", help="What separates columns.", show_default="what the first line says")
]

_SUFFIXES = (".csv", ".csv.gz", ".parquet")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group)


@group.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, Parquet, or folders of them.")],
    timeframe: Timeframe = None,
    calendar: Calendar = None,
    tz: Zone = None,
    delimiter: Delimiter = None,
    tick: Annotated[
        str | None, typer.Option("--tick", help="Prices must be multiples of it.", show_default=False)
    ] = None,
    listed: Annotated[int, typer.Option("--list", min=1, help="Of each kind, show so many.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Tell all that is wrong or odd in bars and quotes, by line and column, without loading them.

    Errors are what backtests refuse (exit code 4), warnings what they take, though it may not mean what it says.
    """
    from surefill.market.checking import Asked, check_file

    asked = Asked(timeframe or "", calendar or "", tz or "", _plain(delimiter), tick or "", listed)
    reports = []
    for file in _found(files):
        with progress(file.name, as_json=as_json) as moved:
            reports.append(check_file(file, asked, moved))
    errors = sum(report.errors for report in reports)

    def drawn(console: Any) -> None:
        console.print(table("", _COLUMNS, [_row(report) for report in reports], right=_COLUMNS[4:5] + _COLUMNS[7:]))
        for report in reports:
            for line in _lines(report):
                console.print(line, highlight=False, soft_wrap=True, markup=False)

    show({"errors": errors, "files": reports}, drawn, as_json=as_json)
    if not as_json:
        note(_rate(reports))
    if errors:
        raise typer.Exit(ExitCode.INPUT)


@group.command("import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A CSV or Parquet file of bars.")],
    target: Annotated[Path, typer.Argument(metavar="DEST", help="A .csv, .csv.gz or .parquet file.")],
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="OURS=THEIRS,…",
            help="What the file calls ts, clock, open, high, low, close, volume.",
            show_default=False,
        ),
    ] = None,
    header: Annotated[
        str | None,
        typer.Option("--header", metavar="NAME,…", help="Of a file without one: its columns.", show_default=False),
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option("--time-format", help="Of times, as strptime has it: %d/%m/%Y %H:%M", show_default=False),
    ] = None,
    stamp: Annotated[str, typer.Option("--stamp", help="open or close: which end of a bar its time is.")] = "open",
    timeframe: Timeframe = None,
    resample: Annotated[
        str | None, typer.Option("--resample", help="Put bars together to longer ones.", show_default=False)
    ] = None,
    calendar: Annotated[str, typer.Option("--calendar", help="When the market trades.")] = "24x7",
    tz: Annotated[str, typer.Option("--tz", metavar="ZONE", help="Of times without an offset.")] = "UTC",
    delimiter: Delimiter = None,
    decimals: Annotated[
        int | None, typer.Option("--decimals", help="Of prices.", show_default="what a CSV needs; 4 for Parquet")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace DEST, if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a file of bars into the CSV or Parquet that surefill reads; every row is checked, or nothing is written."""
    import msgspec

    from surefill.market.checking.sniff import delimiter_of
    from surefill.market.importing import Shape, import_bars

    if stamp not in ("open", "close"):
        raise typer.BadParameter(f"--stamp {stamp!r} must be open or close")
    shape = Shape(
        _plain(delimiter) or delimiter_of(source),
        header.split(",") if header else (),
        _pairs(columns),
        time_format or "",
        tz,
        "close" if stamp == "close" else "open",
        timeframe or "",
        calendar,
        decimals,
    )
    with progress(source.name, as_json=as_json) as moved:
        made = import_bars(source, target, shape, resample=resample or "", force=force, on_progress=moved)
    told = msgspec.to_builtins(made)
    show(told, lambda console: console.print(facts("", told.items())), as_json=as_json)


def _pairs(text: str | None) -> dict[str, str]:
    """`ts=Date,close=Last` by our names."""
    pairs: dict[str, str] = {}
    for part in text.split(",") if text else ():
        ours, equals, theirs = (each.strip() for each in part.partition("="))
        if ours not in _OURS or not equals or not theirs:
            raise typer.BadParameter(f"--columns {part!r} must be OURS=THEIRS, where OURS is one of {', '.join(_OURS)}")
        pairs[ours] = theirs
    return pairs


_OURS = ("ts", "clock", "open", "high", "low", "close", "volume")
_COLUMNS = (
    "file",
    "holds",
    "timeframe",
    "calendar",
    "rows",
    "first",
    "last",
    "missing bars",
    "missing sessions",
    "jumps",
    "errors",
    "warnings",
)


def _row(report: FileReport) -> tuple[object, ...]:
    return (
        report.file,
        report.kind,
        report.timeframe,
        report.calendar,
        f"{report.rows:,}",
        report.first,
        report.last,
        f"{report.missing_bars:,}",
        f"{report.missing_sessions:,}",
        f"{report.jumps:,}",
        f"{report.errors:,}",
        f"{report.warnings:,}",
    )


def _lines(report: FileReport) -> list[str]:
    """The findings, by kind, errors first."""
    lines = [] if report.findings else [f"{report.file}: nothing is wrong"]
    codes = sorted(report.counts, key=lambda code: [f.code for f in report.findings].index(code))
    for level in ("error", "warning"):
        for code in codes:
            found = [each for each in report.findings if (each.level, each.code) == (level, code)]
            if found:
                count = f" ({report.counts[code]:,})" if report.counts[code] > 1 else ""
                lines.append(f"{level} {code}{count}")
                lines += [f"  {each.text}" for each in found]
                if len(found) < report.counts[code]:
                    lines.append(f"  … and {report.counts[code] - len(found):,} more")
    return lines


def _rate(reports: list[FileReport]) -> str:
    seconds = max(sum(report.seconds for report in reports), 1e-9)
    rows, size = sum(report.rows for report in reports), sum(report.bytes for report in reports) / 1e6
    return f"{rows:,} rows, {size:,.1f} MB in {seconds:.1f} s ({rows / seconds:,.0f} rows/s, {size / seconds:.1f} MB/s)"


def _found(paths: list[Path]) -> list[Path]:
    """The files, and those of folders."""
    found = []
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES)) if path.is_dir() else [path]
        if not inside:
            raise typer.BadParameter(f"{path} has no file whose name ends with {', '.join(_SUFFIXES)}")
        found += inside
    return found


def _plain(delimiter: str | None) -> str:
    """A delimiter as typed; `\\t` and `tab` are a tab."""
    if delimiter is None:
        return ""
    known = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(known) != 1:
        raise typer.BadParameter(f"--delimiter {delimiter!r} must be one character, or tab")
    return known
