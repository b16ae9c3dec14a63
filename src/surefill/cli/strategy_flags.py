"""What a command line says of a market and of a strategy, as settings: shared by backtest and sweep."""

from __future__ import annotations

from pathlib import Path

import typer


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


def strategy_entry(
    name: str,
    param: list[str] | None,
    lookback: int | None,
    exits: dict[str, object],
    dollars: float,
    max_positions: int,
) -> dict[str, object]:
    """An entry of the `strategies` section."""
    entry: dict[str, object] = {"type": name, "params": dict(_parameter(text) for text in param or ())}
    if lookback is not None:
        entry["lookback_days"] = lookback
    made: dict[str, object] = {"entry": entry, "risk": {"dollars_per_trade": dollars, "max_positions": max_positions}}
    given = {key: value for key, value in exits.items() if value is not None}
    if given:
        made["exit"] = {"type": "stop_target", **given}
    return made


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
