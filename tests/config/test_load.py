"""Sources of settings: their order, what each may say, and what is told of mistakes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from surefill.config import Settings, load_settings
from surefill.errors import ConfigError


def _load(
    tmp_path: Path, text: str, environ: dict[str, str] | None = None, overrides: dict[str, object] | None = None
) -> Settings:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    return load_settings(file, overrides, environ or {})


def _mistake(
    tmp_path: Path, text: str, environ: dict[str, str] | None = None, overrides: dict[str, object] | None = None
) -> str:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text, environ, overrides)
    return caught.value.message.replace(str(tmp_path), "DIR")


def test_defaults_without_any_source_are_a_paper_workspace() -> None:
    settings = load_settings(None, environ={})
    assert (settings.workspace.mode, settings.workspace.starting_equity) == ("paper", Decimal("10000.0"))
    assert settings.source_of("workspace", "mode") == "default"


def test_later_source_wins_and_is_named(tmp_path: Path) -> None:
    text = "execution:\n  slippage_bps: 1\n  spread_bps: 1\n  latency_ms: 1\n"
    environ = {"SUREFILL__EXECUTION__SPREAD_BPS": "2", "SUREFILL__EXECUTION__LATENCY_MS": "2", "HOME": "/x"}
    settings = _load(tmp_path, text, environ, {"execution.latency_ms": 3})
    execution = settings.execution
    assert [execution.slippage_bps, execution.spread_bps, execution.latency_ms] == [1, 2, 3]
    assert settings.source_of("execution", "slippage_bps") == f"{tmp_path}/c.yaml line 2"
    assert settings.source_of("execution", "spread_bps") == "environment SUREFILL__EXECUTION__SPREAD_BPS"
    assert settings.source_of("execution", "latency_ms") == "flag execution.latency_ms"


V2_DOCUMENT = """
execution:
  # ExecutionEngine v2 configuration
  use_execution_engine_v2: false  # Set to true to enable
  dry_run: false
  slippage_bps: 5.0
  use_bid_ask_spread: false

  circuit_breakers:
    max_daily_loss_rupees: 5000.0
    max_daily_drawdown_pct: 0.02
    max_trades_per_day: 100
    max_trades_per_strategy_per_day: 50
    max_loss_streak: 5
"""
V3_DOCUMENT = 'execution:\n  engine: v3  # "v2" or "v3"\n'


@pytest.mark.parametrize("text", [V2_DOCUMENT, V3_DOCUMENT])
def test_execution_block_of_a_contract_loads_unchanged(tmp_path: Path, text: str) -> None:
    assert isinstance(_load(tmp_path, text), Settings)


def test_circuit_breakers_of_a_contract_are_read(tmp_path: Path) -> None:
    breakers = _load(tmp_path, V2_DOCUMENT.replace("max_loss_streak: 5", "max_loss_streak: 7")).execution
    assert breakers.circuit_breakers.max_loss_streak == 7


MISTAKES = [
    # text, environment, flags, what the message must hold
    (
        "execution:\n  slipage_bps: 3\n",
        {},
        {},
        ["execution.slipage_bps", "mean execution.slippage_bps", "DIR/c.yaml line 2"],
    ),
    ("slippage_bps: 3\n", {}, {}, ["slippage_bps is not a setting", "did you mean execution.slippage_bps?"]),
    ("workspce: {}\n", {}, {}, ["workspce is not a setting", "did you mean workspace?", "line 1"]),
    ("execution:\n  zzz: 3\n", {}, {}, ["execution may have engine,"]),
    ("execution:\n  fill_mode: best\n", {}, {}, ["execution.fill_mode is 'best'", "'ltp', 'mid' or 'bid_ask'"]),
    ("execution:\n  slippage_bps: -1\n", {}, {}, ["is -1", "greater than or equal to 0"]),
    ("execution:\n  slippage_bps: .nan\n", {}, {}, ["slippage_bps", "finite"]),
    ("execution:\n  time_stop_bars: yes\n", {}, {}, ["time_stop_bars is True", "a number or text is wanted"]),
    ("execution:\n  spread_bps: on\n", {}, {}, ["spread_bps is True"]),
    ("execution:\n  enable_trailing: maybe\n", {}, {}, ["enable_trailing is 'maybe'", "boolean"]),
    ("execution: 7\n", {}, {}, ["execution is 7", "it is a section"]),
    ("workspace:\n  id: 7\n", {}, {}, ["workspace.id is 7", "put it in quotes"]),
    ("workspace:\n  id: a b\n", {}, {}, ["workspace.id is 'a b'"]),
    ("workspace:\n  mode: simulated\n", {}, {}, ["workspace.mode is 'simulated'", "'paper', 'backtest'"]),
    (
        "execution:\n  use_bid_ask_spread: true\n  fill_mode: mid\n",
        {},
        {},
        ["use_bid_ask_spread: true means fill_mode bid_ask", "leave one of them out"],
    ),
    ("instruments:\n  NIFTY:\n    tck: 1\n", {}, {}, ["did you mean instruments.NIFTY.tick?", "line 3"]),
    ("fees:\n  - kind: per_order\n    rate_bps: 3\n", {}, {}, ["a per_order fee has amount, not rate_bps"]),
    ("fees:\n  - amount: 3\n", {}, {}, ["fees.0.kind is missing", "per_notional, per_unit or per_order"]),
    ("strategies:\n  - risk: {dollars_per_trade: 1}\n", {}, {}, ["strategies.0.entry is missing"]),
    (
        "strategies:\n  - entry: {type: x, params: {a: [1]}}\n    risk: {dollars_per_trade: 1}\n",
        {},
        {},
        ["strategies.0.entry.params.a is [1]"],
    ),
    ("feed:\n  symbols: [NO]\n", {}, {}, ["feed.symbols.0 is False", "quotes"]),
    ("x: 1\nx: 2\n", {}, {}, ["DIR/c.yaml line 1", "x stands here more than once"]),
    ("execution:\n  engine: v2\n  engine: v3\n", {}, {}, ["execution.engine stands here more than once"]),
    ("a: [\n", {}, {}, ["is not YAML", "line 2"]),
    ("- 1\n", {}, {}, ["must be sections with keys"]),
    ("? [a]\n: 1\n", {}, {}, ["a key must be plain text"]),
    ("a: 2024-13-01\n", {}, {}, ["'2024-13-01' cannot be read", "quotes"]),
    ("a: !!python/object:os.system x\n", {}, {}, ["is not YAML"]),
    (
        "",
        {"SUREFILL__EXECUTION__SLIPAGE_BPS": "3"},
        {},
        ["environment SUREFILL__EXECUTION__SLIPAGE_BPS", "mean execution.slippage_bps"],
    ),
    (
        "",
        {"SUREFILL__EXECUTION__SLIPPAGE_BPS": "abc"},
        {},
        ["execution.slippage_bps is 'abc'", "(from environment SUREFILL__EXECUTION__SLIPPAGE_BPS)"],
    ),
    ("", {"SUREFILL__FEES": "[{"}, {}, ["environment SUREFILL__FEES", "neither a list nor a mapping"]),
    ("", {}, {"execution.slipage": 3}, ["flag execution.slipage", "did you mean execution.slippage_bps?"]),
]


@pytest.mark.parametrize(("text", "environ", "flags", "told"), MISTAKES)
def test_mistake_is_told_with_source_key_value_and_what_is_allowed(
    tmp_path: Path, text: str, environ: dict[str, str], flags: dict[str, object], told: list[str]
) -> None:
    message = _mistake(tmp_path, text, environ, flags)
    assert [part for part in told if part not in message] == [], message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = _mistake(tmp_path, "execution:\n  a: 1\nworkspace:\n  id: 7\n", {"SUREFILL__FEED__SPEED": "fast"})
    assert len([key for key in ("execution.a", "workspace.id", "feed.speed is 'fast'") if key in message]) == 3


def test_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist.*surefill init"):
        load_settings(tmp_path / "none.yaml", environ={})


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "c.yaml", environ={})


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    assert "unfolds to more than" in _mistake(tmp_path, bomb)


@pytest.mark.parametrize(
    ("text", "engine"), [("", None), ("null", None), ("~", None), ("None", None), ("v3", "v3"), (" ", None)]
)
def test_environment_says_nothing_by_empty_text_or_null(tmp_path: Path, text: str, engine: str | None) -> None:
    assert _load(tmp_path, "execution: {engine: v2}", {"SUREFILL__EXECUTION__ENGINE": text}).execution.engine == engine


def test_environment_gives_lists_and_mappings_as_json(tmp_path: Path) -> None:
    environ = {
        "SUREFILL__FEES": '[{"kind": "per_order", "amount": 20}]',
        "SUREFILL__FEED__SYMBOLS": "[AAPL, 'NO']",
        "SUREFILL__INSTRUMENTS__NIFTY": "{tick: 0.1}",
    }
    settings = _load(tmp_path, "", environ)
    assert settings.fees[0].amount == 20
    assert settings.feed.symbols == ["AAPL", "NO"]
    assert settings.instruments["NIFTY"].tick == Decimal("0.1")


def test_environment_meets_the_symbol_of_the_file_in_any_case(tmp_path: Path) -> None:
    environ = {"SUREFILL__INSTRUMENTS__BTCUSDT__LOT": "0.5", "SUREFILL__INSTRUMENTS__DEFAULT__LOT": "2"}
    settings = _load(tmp_path, "instruments:\n  btcUSDT: {tick: 0.1}\n", environ)
    assert {symbol: (own.tick, own.lot) for symbol, own in settings.instruments.items()} == {
        "btcUSDT": (Decimal("0.1"), Decimal("0.5")),
        "default": (None, Decimal(2)),
    }


def test_keys_of_the_file_stay_text_whatever_yaml_makes_of_them(tmp_path: Path) -> None:
    settings = _load(tmp_path, "instruments:\n  NO: {}\n  ON: {}\n  1.10: {}\n  2024-01-01: {}\n")
    assert list(settings.instruments) == ["NO", "ON", "1.10", "2024-01-01"]


def test_numbers_of_the_file_are_taken_as_they_are_written(tmp_path: Path) -> None:
    settings = _load(tmp_path, "instruments:\n  X: {tick: 0.1, lot: 1e-8, multiplier: 12345.678901234}\n")
    own = settings.instruments["X"]
    assert (own.tick, own.lot, own.multiplier) == (Decimal("0.1"), Decimal("1e-8"), Decimal("12345.678901234"))


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "execution:\n", "execution: {}\n", "execution: null\n"])
def test_empty_file_or_section_has_the_defaults(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, text).execution == Settings().execution


def test_flags_may_be_nested(tmp_path: Path) -> None:
    settings = _load(tmp_path, "instruments: {A.B: {tick: 1}}", None, {"instruments": {"A.B": {"lot": 5}}})
    assert [settings.instruments["A.B"].tick, settings.instruments["A.B"].lot] == [1, 5]


def test_merge_keys_of_yaml_work(tmp_path: Path) -> None:
    text = "instruments:\n  default: &share {tick: 0.05, lot: 1}\n  X:\n    <<: *share\n    lot: 10\n"
    own = _load(tmp_path, text).instruments["X"]
    assert (own.tick, own.lot) == (Decimal("0.05"), Decimal(10))


def test_relative_paths_start_from_the_files_folder(tmp_path: Path) -> None:
    settings = _load(tmp_path, "journal: {path: j/x.journal}\nartifacts: {dir: /elsewhere}\n")
    assert settings.journal_path == tmp_path / "j" / "x.journal"
    assert settings.artifacts_dir == Path("/elsewhere")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        _load(tmp_path, "").workspace.id = "other"


@pytest.mark.parametrize("key", ["slippage_bps", "spread_bps"])
@pytest.mark.parametrize("bps", ["10000", "25000", "-1"])
def test_rate_of_the_whole_price_or_more_is_refused(tmp_path: Path, key: str, bps: str) -> None:
    assert f"execution.{key}" in _mistake(tmp_path, "", overrides={f"execution.{key}": bps})
    assert getattr(_load(tmp_path, "", overrides={f"execution.{key}": "9999.5"}).execution, key) == Decimal("9999.5")
