"""What a command line says of a market and of a strategy, as settings: shared by backtest and sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

FillAt = Literal["next_open", "close"]

StrategyName = Annotated[
    str | None,
    typer.Argument(help="A strategy's name, or my_file.py:MyStrategy; else the configured ones.", show_default=False),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="demo, synthetic, a CSV or Parquet file, or a folder of them; else the configured feed."
    ),
]
Symbols = Annotated[
    str | None, typer.Option(metavar="A,B", help="Which symbols; else all of the feed.", show_default=False)
]
Timeframe = Annotated[str | None, typer.Option(help="The length of a bar in the file.", show_default="1d")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the strategy.", show_default=False),
]
Lookback = Annotated[int | None, typer.Option(help="entry.lookback_days.", show_default="252")]
GoodForBars = Annotated[
    int | None,
    typer.Option("--good-for-bars", help="How long entries stand that wait for their price.", show_default="1"),
]
Dollars = Annotated[float, typer.Option(help="Money for each entry.")]
MaxPositions = Annotated[int, typer.Option("--max-positions", help="At most so many at once.")]
Exit = Annotated[
    str | None, typer.Option("--exit", help="eod, none or stop_target.", show_default="the strategy's own")
]
StopLossPct = Annotated[float | None, typer.Option("--stop-loss-pct", help="With stop_target.")]
TakeProfitPct = Annotated[float | None, typer.Option("--take-profit-pct", help="With stop_target.")]
TrailingPct = Annotated[float | None, typer.Option("--trailing-pct", help="With stop_target.")]
TimeStopBars = Annotated[int | None, typer.Option("--time-stop-bars", help="With stop_target.")]
Cash = Annotated[str | None, typer.Option(help="Cash at the start.", show_default="10000")]
SlippageBps = Annotated[str | None, typer.Option("--slippage-bps", help="Slippage of each fill.")]
SpreadBps = Annotated[str | None, typer.Option("--spread-bps", help="Buy and sell this far apart.")]
FeeBps = Annotated[str | None, typer.Option("--fee-bps", help="Fees on the value of each fill.")]
FillAtName = Annotated[
    str, typer.Option("--fill-at", help="next_open, or close: at the very price that was decided on.")
]


def fill_at_of(name: str) -> FillAt:
    """What --fill-at says."""
    if name not in ("next_open", "close"):
        raise typer.BadParameter(f"--fill-at {name!r} must be next_open or close")
    return "close" if name == "close" else "next_open"


def feed_flags(data: str | None, symbols: str | None, timeframe: str | None) -> dict[str, object]:
    """The feed as --data, --symbols and --timeframe name it."""
    flags: dict[str, object] = {}
    if data in ("demo", "synthetic"):
        flags["feed.source"] = data
    elif data is not None:
        path = Path(data).absolute()
        inside = list(path.glob("*.parquet")) if path.is_dir() else [path]
        flags["feed.source"] = "parquet" if any(file.suffix == ".parquet" for file in inside) else "csv"
        flags["feed.path"] = str(path)
    if symbols is not None:
        flags["feed.symbols"] = [symbol.strip() for symbol in symbols.split(",")]
    if timeframe is not None:
        flags["feed.timeframe"] = timeframe
    return flags


def market_flags(
    cash: str | None, slippage_bps: str | None, spread_bps: str | None, fee_bps: str | None
) -> dict[str, object]:
    """The account and its costs as --cash, --slippage-bps, --spread-bps and --fee-bps name them."""
    flags: dict[str, object] = {}
    if cash is not None:
        flags["workspace.starting_equity"] = cash
    if slippage_bps is not None:
        flags["execution.slippage_bps"] = slippage_bps
    if spread_bps is not None:
        flags["execution.spread_bps"] = spread_bps
        flags["execution.fill_mode"] = "bid_ask"
    if fee_bps is not None:
        flags["fees"] = [{"name": "--fee-bps", "kind": "per_notional", "rate_bps": fee_bps}]
    return flags


def strategy_flags(
    name: str | None,
    param: list[str] | None,
    lookback: int | None,
    good_for_bars: int | None,
    exits: dict[str, object],
    dollars: float,
    max_positions: int,
) -> dict[str, object]:
    """The `strategies` section with the one that is named; nothing where none is."""
    given = {key: value for key, value in exits.items() if value is not None}
    if name is None:
        if param or lookback or good_for_bars or given:
            raise typer.BadParameter("--param, --lookback, --good-for-bars and --exit belong to a STRATEGY: name it")
        return {}
    entry: dict[str, object] = {"type": name, "params": dict(_parameter(text) for text in param or ())}
    if lookback is not None:
        entry["lookback_days"] = lookback
    if good_for_bars is not None:
        entry["good_for_bars"] = good_for_bars
    made: dict[str, object] = {"entry": entry, "risk": {"dollars_per_trade": dollars, "max_positions": max_positions}}
    if given:
        made["exit"] = {"type": "stop_target", **given}
    return {"strategies": [made]}


def _parameter(text: str) -> tuple[str, object]:
    import yaml

    name, equals, value = text.partition("=")
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        read = None
    if not name or not equals or not isinstance(read, bool | int | float | str):
        raise typer.BadParameter(f"--param {text!r} must be NAME=VALUE, such as --param fast=10")
    return name, read
