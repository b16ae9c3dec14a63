"""A run's figures and tables as commands tell and write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.errors import InputError

if TYPE_CHECKING:
    from surefill.domain.events import Event
    from surefill.views.performance import Line, Performance

ExportFolder = Annotated[
    Path | None,
    typer.Option("--export", metavar="DIR", help="Write trades, orders, fills and equity there.", show_default=False),
]
ExportFormat = Annotated[str, typer.Option("--format", help="With --export: csv or parquet.")]


def checked_format(name: str) -> str:
    """What --format says."""
    from surefill.views.table_files import FORMATS

    if name not in FORMATS:
        raise typer.BadParameter(f"--format {name!r} must be {' or '.join(FORMATS)}")
    return name


def write_tables(folder: Path, form: str, runs: Mapping[str, tuple[Iterable[Event], Performance]]) -> list[Path]:
    """The tables of workspaces; of several each in a folder of its name. The files. Raises InputError."""
    from surefill.views.table_files import table_bytes
    from surefill.views.tables import tables_of

    files = []
    for name, (events, found) in runs.items():
        for table in tables_of(events, found):
            file = folder / (name if len(runs) > 1 else "") / f"{table.name}.{form}"
            write_file(file, table_bytes(table, form))
            files.append(file)
    return files


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole, its folders too; into a pipe or a terminal as it comes. Raises InputError."""
    from surefill.views.appended_file import replace_file

    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            replace_file(path.resolve(), data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}", code="FILE_WRITE_ERROR") from error


def told(found: Performance) -> dict[str, Any]:
    """A run's figures as JSON: money as text in units."""
    import msgspec

    curve = msgspec.to_builtins(found.curve)
    money_of_curve = {key: _money(found, curve.pop(key)) for key in ("start", "end", "max_drawdown")}
    return {
        "workspace": found.workspace_id,
        "currency": found.currency,
        "total": _line(found, found.total),
        "symbols": {line.name: _line(found, line) for line in found.lines},
        "equity": {**money_of_curve, **curve},
        "daily": msgspec.to_builtins(found.daily),
        "turnover": found.turnover,
        "mae_pct": found.mae_pct,
        "mfe_pct": found.mfe_pct,
        "months": [{"year": year, "month": month, "change": change} for year, month, change in found.months],
        "exits": {why: {"count": ends.count, "net": _money(found, ends.net)} for why, ends in found.exits.items()},
        "refused": msgspec.to_builtins(found.refused),
        "events": sum(found.events.values()),
    }


def _line(found: Performance, line: Line) -> dict[str, Any]:
    import msgspec

    figures = msgspec.to_builtins(line.figures)
    for key in ("net", "fees", "gross_profit", "gross_loss", "best", "worst"):
        figures[key] = _money(found, figures[key])
    expectancy = figures["expectancy"]
    figures["expectancy"] = None if expectancy is None else expectancy / 10**found.money_decimals
    figures["fees_paid"] = _money(found, line.fees)
    figures["open_net"] = _money(found, line.open_net)
    figures["max_drawdown"] = _money(found, line.max_drawdown)
    figures["exposure"] = line.exposure
    return dict(figures)


def _money(found: Performance, quanta: int) -> str:
    from surefill.units import quanta_text

    return quanta_text(quanta, found.money_decimals)
