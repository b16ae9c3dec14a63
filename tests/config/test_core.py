"""What the core is told of the settings."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from surefill.config import (
    Settings,
    config_hash,
    instrument_of,
    load_settings,
    opening_of,
    paper_settings_of,
    profile_name,
    profile_of,
)
from surefill.errors import ConfigError, InputError
from surefill.rules.codes import FeeKind, FillMode
from surefill.units import QTY_MAX
from surefill.venues.paper import FeeRule, PaperSettings


def _settings(**flags: object) -> Settings:
    return load_settings(None, {key.replace("__", "."): value for key, value in flags.items()}, {})


TOGGLES = [
    ({}, "paper_full"),
    ({"execution__engine": "v3"}, "v3"),
    ({"execution__engine": "v2"}, "v2"),
    ({"execution__engine": None}, "paper_full"),
    ({"execution__engine": ""}, "paper_full"),
    ({"execution__engine": None, "execution__use_execution_engine_v2": True}, "v2"),
    ({"execution__engine": "v3", "execution__use_execution_engine_v2": True}, "v3"),
    ({"execution__engine": "paper_long_only"}, "paper_long_only"),
]


@pytest.mark.parametrize(("flags", "name"), TOGGLES)
def test_toggle_picks_the_profile(flags: dict[str, object], name: str) -> None:
    settings = _settings(**flags)
    assert profile_name(settings) == profile_of(settings).name == name


def test_engine_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        ConfigError, match=r"execution\.engine is 'v9'.*paper_full, paper_long_only, pipeline, rpm, v2, v3"
    ):
        profile_of(_settings(execution__engine="v9"))


def test_limits_of_the_profile_come_from_the_settings() -> None:
    limits = profile_of(
        _settings(
            execution__price_max_age_s="3.5", execution__duplicate_window_s="0.25", execution__allow_negative_cash=True
        )
    ).limits
    assert (limits.price_max_age_ns, limits.duplicate_window_ns) == (3_500_000_000, 250_000_000)
    assert limits.allow_negative_cash


@pytest.mark.parametrize(("mode", "window_ns"), [("paper", 0), ("backtest", 0), ("live", 2 * 10**9)])
def test_duplicate_window_where_nothing_is_said_depends_on_the_mode(mode: str, window_ns: int) -> None:
    assert profile_of(_settings(workspace__mode=mode)).limits.duplicate_window_ns == window_ns


FILLS = [
    ({}, PaperSettings()),
    ({"execution__engine": "v3"}, PaperSettings()),
    ({"execution__engine": "v2"}, PaperSettings(slippage_ppb=500_000)),
    ({"execution__engine": "v2", "execution__slippage_bps": 0}, PaperSettings()),
    ({"execution__use_bid_ask_spread": True}, PaperSettings(fill_mode=FillMode.BID_ASK)),
    ({"execution__fill_mode": "mid"}, PaperSettings(fill_mode=FillMode.MID)),
    ({"execution__spread_bps": "2.5"}, PaperSettings(spread_ppb=250_000)),
    (
        {"execution__latency_ms": 5, "execution__partial_fills": True},
        PaperSettings(latency_ns=5_000_000, partial_fills=True),
    ),
]


@pytest.mark.parametrize(("flags", "expected"), FILLS)
def test_simulated_market_trades_as_the_settings_say(flags: dict[str, object], expected: PaperSettings) -> None:
    assert paper_settings_of(_settings(**flags)) == expected


FEES = [
    ("v3", {"kind": "per_notional", "rate_bps": "0.345"}, FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=34_500)),
    ("v3", {"kind": "per_notional", "rate_bps": -1}, FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=-100_000)),
    ("v3", {"kind": "per_order", "amount": 20}, FeeRule(FeeKind.PER_ORDER, per_order=20 * 10**8)),
    ("v3", {"kind": "per_unit", "amount": "0.0035"}, FeeRule(FeeKind.PER_UNIT, per_unit=350_000)),
    # 8 of the 12 money decimals are the quantity's: a unit is 10**8 quanta
    ("paper_full", {"kind": "per_unit", "amount": "0.0035"}, FeeRule(FeeKind.PER_UNIT, per_unit=35)),
]


@pytest.mark.parametrize(("engine", "fee", "rule"), FEES)
def test_fee_becomes_a_rule_in_money_quanta(engine: str, fee: dict[str, object], rule: FeeRule) -> None:
    assert paper_settings_of(_settings(execution__engine=engine, fees=[fee])).fees == (rule,)


def test_fee_finer_than_the_money_is_refused() -> None:
    settings = _settings(fees=[{"kind": "per_unit", "amount": "0.00001"}])
    with pytest.raises(ConfigError, match=r"fees\.0\.amount.*finer than the 4 decimals.*workspace\.money_decimals"):
        paper_settings_of(settings)


def test_fee_per_unit_with_differing_quantity_decimals_is_refused() -> None:
    settings = _settings(fees=[{"kind": "per_unit", "amount": 1}], instruments={"X": {"qty_decimals": 2}})
    with pytest.raises(ConfigError, match=r"instruments\.X\.qty_decimals.*same qty_decimals"):
        paper_settings_of(settings)


def test_cushion_covers_spread_slippage_and_fees_of_a_purchase() -> None:
    settings = _settings(
        execution__fill_mode="bid_ask",
        execution__spread_bps=4,
        execution__slippage_bps=3,
        fees=[{"kind": "per_notional", "rate_bps": 10}, {"kind": "per_notional", "rate_bps": -5}],
    )
    # half of 4 bps and 3 bps on the price, then 10 bps on the 1.0005 that it has become; a rebate is not counted on
    assert profile_of(settings).limits.cost_cushion_ppb == 500_000 + 1_000_500


INSTRUMENTS = [
    # engine, settings of the instrument, (currency, price and quantity decimals, scale, tick, lot, calendar)
    ("v3", {}, ("INR", 4, 0, 10**4, 500, 1, "nse")),
    ("v2", {"lot": 75}, ("INR", 4, 0, 10**4, 500, 75, "nse")),
    ("v3", {"multiplier": 25}, ("INR", 4, 0, 25 * 10**4, 500, 1, "nse")),
    ("v3", {"price_decimals": 1}, ("INR", 1, 0, 10**7, 1, 1, "nse")),
    ("paper_full", {}, ("USD", 4, 8, 1, 1, 1, "24x7")),
    ("paper_long_only", {"tick": "0.01", "lot": "0.001"}, ("USD", 4, 8, 1, 100, 100_000, "24x7")),
]


@pytest.mark.parametrize(("engine", "own", "expected"), INSTRUMENTS)
def test_instrument_is_its_own_settings_over_the_profiles(
    engine: str, own: dict[str, object], expected: tuple[object, ...]
) -> None:
    found = instrument_of(_settings(execution__engine=engine, instruments={"X": own}), "X")
    terms = found.terms[0]
    assert expected == (
        found.currency,
        found.price_decimals,
        found.qty_decimals,
        found.money_per_notional,
        terms.tick,
        terms.lot,
        found.calendar,
    )


def test_instrument_nobody_configured_is_the_templates_in_paper_and_refused_in_live() -> None:
    flags: dict[str, object] = {"instruments": {"default": {"tick": "0.5", "max_qty": 10}}}
    terms = instrument_of(_settings(**flags), "X").terms[0]
    assert (terms.tick, terms.min_qty, terms.max_qty) == (5_000, 0, 10 * 10**8)
    with pytest.raises(ConfigError, match="X is not under `instruments`"):
        instrument_of(_settings(**flags, workspace__mode="live"), "X")


def test_symbols_own_setting_goes_before_the_templates() -> None:
    settings = _settings(instruments={"default": {"tick": 1, "lot": 2}, "X": {"tick": 3}})
    own, other = (instrument_of(settings, symbol).terms[0] for symbol in ("X", "Y"))
    assert (own.tick, own.lot, other.tick) == (30_000, 200_000_000, 10_000)
    assert own.max_qty == QTY_MAX


WRONG_INSTRUMENTS = [
    ({"tick": "0.00001"}, "instruments.X.tick: tick is finer than the 4 decimals"),
    ({"calendar": "mars"}, "instruments.X.calendar is 'mars': calendar 'mars' is not known; use one of 24x7"),
    ({"currency": "EUR"}, "instruments.X.currency is 'EUR': the workspace keeps USD"),
    ({"price_decimals": 6}, "instruments.X: multiplier 1, 6 price decimals and 8 quantity decimals do not come out"),
    ({"lot": "0.000000001"}, "instruments.X.lot"),
]


@pytest.mark.parametrize(("own", "told"), WRONG_INSTRUMENTS)
def test_instrument_that_cannot_be_is_refused_by_key_and_source(own: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        instrument_of(_settings(instruments={"X": own}), "X")
    assert told in caught.value.message
    assert "(from " in caught.value.message


@pytest.mark.parametrize("symbol", ["", "default", " X"])
def test_symbol_that_is_none_is_refused(symbol: str) -> None:
    with pytest.raises(InputError, match="is not a symbol"):
        instrument_of(_settings(), symbol)


def test_opening_carries_the_account_and_its_cash_at_the_money_scale() -> None:
    opening = opening_of(_settings(execution__engine="v3", workspace__id="w", workspace__account="a"), 7)
    assert (opening.ts_ns, opening.workspace_id, opening.mode, opening.venue, opening.account) == (
        7,
        "w",
        "paper",
        "paper",
        "a",
    )
    assert (opening.currency, opening.money_decimals, opening.starting_cash) == ("INR", 8, 10**12)


IMPOSSIBLE = [
    ({"workspace__starting_equity": 10_000_000}, "workspace.starting_equity"),
]


@pytest.mark.parametrize(("flags", "told"), IMPOSSIBLE)
def test_opening_that_cannot_be_is_refused(flags: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opening_of(_settings(**flags), 0)
    assert told in caught.value.message


def test_hash_follows_what_decides_and_nothing_else(tmp_path: Path) -> None:
    base = config_hash(_settings())
    assert config_hash(_settings(journal__path=str(tmp_path), feed__seed=5, artifacts__dir="x")) == base
    changed: list[dict[str, object]] = [
        {"execution__slippage_bps": 1},
        {"workspace__id": "b"},
        {"instruments": {"X": {}}},
        {"trading__default_quantity": 2},
    ]
    assert base not in {config_hash(_settings(**flags)) for flags in changed}


def test_hash_is_of_the_values_not_of_how_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("execution:\n  spread_bps: 3\n")
    assert config_hash(load_settings(tmp_path / "c.yaml", environ={})) == config_hash(
        _settings(execution__spread_bps=Decimal("3"))
    )


def test_stops_wait_where_the_settings_say() -> None:
    limits = profile_of(_settings()).limits
    assert (limits.stops_at_venue, limits.refused_stop_flattens) == (False, False)
    limits = profile_of(
        _settings(
            execution__stops_at="venue",
            execution__stop_grace_s="1.5",
            execution__naked_page_s="4",
            execution__refused_stop="flatten",
        )
    ).limits
    assert (limits.stops_at_venue, limits.refused_stop_flattens) == (True, True)
    assert (limits.stop_grace_ns, limits.naked_page_ns) == (1_500_000_000, 4_000_000_000)


_LIVE = {"workspace__mode": "live", "workspace__venue": "binance", "execution__stops_at": "venue"}


def test_targets_go_to_a_real_venue_only_and_only_beside_their_stops() -> None:
    linked = {**_LIVE, "execution__targets_at": "venue"}
    assert profile_of(_settings(**linked)).limits.targets_at_venue
    assert not profile_of(_settings(**{**linked, "workspace__mode": "dry_run"})).limits.targets_at_venue
    with pytest.raises(ConfigError, match="stops_at must be venue too"):
        _settings(**{**linked, "execution__stops_at": "engine"})


def test_dead_mans_switch_is_off_unless_asked_for_and_never_beside_stops_at_the_venue() -> None:
    live = {"workspace__mode": "live", "workspace__venue": "binanceusdm"}
    assert profile_of(_settings(**live)).limits.dead_man_ns == 0
    assert profile_of(_settings(**live, execution__dead_man_s="30")).limits.dead_man_ns == 30_000_000_000
    dry = {**live, "workspace__mode": "dry_run"}
    assert profile_of(_settings(**dry, execution__dead_man_s="30")).limits.dead_man_ns == 0
    with pytest.raises(ConfigError, match="choose one of them"):
        _settings(**_LIVE, execution__dead_man_s="30")
