"""The settings under `costs`, and what becomes of an instrument's segment."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from tests.config.test_core import _settings

from surefill.config import config_hash, instrument_of, opening_of, paper_settings_of, profile_of
from surefill.config.tree import CostSettings
from surefill.domain.costs import SCHEDULES, Liquidity, Tariff, purchase_rate_ppb
from surefill.errors import ConfigError
from surefill.units import ns_from_iso
from surefill.venues.paper import PaperSettings

NOW_NS = ns_from_iso("2025-06-02")


def test_no_schedule_is_the_default_and_changes_nothing() -> None:
    settings = _settings(instruments={"X": {}})
    assert paper_settings_of(settings) == PaperSettings()
    assert instrument_of(settings, "X").segment == ""
    assert profile_of(settings).limits.cost_cushion_ppb == 0


_YOUNGER = ("costs", "policy", "alerts", "venues")
_YOUNGER_EXECUTION = (
    "stops_at",
    "targets_at",
    "stop_grace_s",
    "naked_page_s",
    "refused_stop",
    "exit_waits_s",
    "dead_man_s",
)


def test_settings_that_say_nothing_of_costs_keep_the_hash_of_old_journals() -> None:
    """They were made before there was either; a backtest of that time can still be taken up."""
    settings = _settings(instruments={"X": {"lot": 75}})
    tree = settings.model_dump(mode="json", exclude={"journal", "artifacts", "feed", *_YOUNGER})
    del tree["instruments"]["X"]["segment"]
    for key in ("aggregate_value_max", "balance_drift_pct", "balance_drift_halts"):
        del tree["risk"][key]
    for key in _YOUNGER_EXECUTION:
        del tree["execution"][key]
    assert config_hash(settings) == hashlib.sha256(msgspec.json.encode(tree, order="deterministic")).hexdigest()
    changed = [
        _settings(costs__schedule="binance_spot"),
        _settings(instruments={"X": {"segment": "spot"}}),
        _settings(instruments={"X": {"segment": "fx"}}),
    ]
    assert len({config_hash(settings) for settings in (*changed, _settings())}) == 4


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_is_taken_by_its_name_at_the_money_of_the_workspace(name: str) -> None:
    found = paper_settings_of(_settings(execution__engine="v3", costs__schedule=name))
    assert (found.costs, found.money_decimals) == (SCHEDULES[name], 8)


def test_every_schedule_that_is_shipped_can_be_chosen() -> None:
    for name in (*SCHEDULES, "fx"):
        CostSettings.model_validate({"schedule": name, "commission_pct": 0 if name == "fx" else None})


# settings, segment, side, row, (kind's rate or amount, cap) in money of 8 decimals
OVERRIDES = [
    ({"schedule": "zerodha"}, "futures", (300_000, 0, 20 * 10**8)),
    ({"schedule": "zerodha", "brokerage_pct": "0.01"}, "futures", (100_000, 0, 20 * 10**8)),
    ({"schedule": "zerodha", "brokerage_max": "15.5"}, "equity_intraday", (300_000, 0, 155 * 10**7)),
    ({"schedule": "zerodha", "delivery_pct": "0.1"}, "equity_delivery", (1_000_000, 0, 20 * 10**8)),
    ({"schedule": "zerodha", "option_order": "0"}, "options", (0, 0, 0)),
    ({"schedule": "zerodha"}, "options", (0, 20 * 10**8, 0)),
    ({"schedule": "binance_spot", "pay_with": "BNB"}, "spot", (750_000, 0, 0)),
    ({"schedule": "fx", "commission_per_lot": "3.5"}, "fx", (35 * 10**11, 0, 0)),
    ({"schedule": "fx", "commission_per_lot": "3.5", "lot_units": 1000}, "fx", (35 * 10**13, 0, 0)),
    ({"schedule": "fx", "commission_pct": "0.002"}, "fx", (20_000, 0, 0)),
]


@pytest.mark.parametrize(("costs", "segment", "expected"), OVERRIDES)
def test_brokerage_and_commission_are_as_configured(
    costs: dict[str, object], segment: str, expected: tuple[int, int, int]
) -> None:
    found = paper_settings_of(_settings(execution__engine="v3", costs=costs))
    assert found.costs is not None
    rule = Tariff(found.costs, 8).table(segment, 0, 1, Liquidity.TAKER, NOW_NS).rules[0]
    assert (rule.rate_ppb, rule.per_order, rule.max_money) == expected


WRONG = [
    (
        {"costs": {"schedule": "zerodha"}, "fees": [{"kind": "per_order", "amount": 20}]},
        r"costs\.schedule is zerodha: there are `fees` as well.*leave one of them out \(from flag costs\)",
    ),
    (
        {"costs": {"schedule": "zerodha"}, "workspace": {"currency": "USD"}},
        r"costs\.schedule is zerodha: it charges in INR, the workspace keeps USD",
    ),
    ({"costs": {"schedule": "binance_spot", "pay_with": "ETH"}}, r"no discount for paying with ETH .*one: BNB\)"),
    (
        {"costs": {"schedule": "zerodha", "brokerage_max": "0.123456789"}},
        r"costs\.schedule is zerodha: amount is finer than the 8 decimals",
    ),
    (
        {
            "costs": {"schedule": "fx", "commission_per_lot": 400_000, "lot_units": 1},
            "workspace": {"money_decimals": 12},
        },
        r"too large at 12 money decimals",
    ),
]


@pytest.mark.parametrize(("tree", "text"), WRONG)
def test_schedule_that_cannot_be_charged_is_refused_with_its_source(tree: dict[str, object], text: str) -> None:
    settings = _settings(execution__engine="v3", **tree)
    with pytest.raises(ConfigError, match=text):
        paper_settings_of(settings)
    with pytest.raises(ConfigError, match=text):
        opening_of(settings, 0)


MISPLACED = [
    ({"schedule": "nse"}, r"costs\.schedule is 'nse'.*'zerodha', 'binance_spot', 'binance_usdm' or 'fx'"),
    ({"pay_with": "BNB"}, r"pay_with belongs to the schedule binance_spot or binance_usdm, not to None"),
    ({"schedule": "zerodha", "pay_with": "BNB"}, r"pay_with belongs to the schedule binance_spot"),
    ({"schedule": "fx", "brokerage_pct": 1, "commission_pct": 1}, r"brokerage_pct belongs to the schedule zerodha"),
    ({"schedule": "binance_spot", "commission_pct": 1}, r"commission_pct belongs to the schedule fx"),
    ({"schedule": "fx"}, r"fx needs commission_per_lot or commission_pct"),
    ({"schedule": "fx", "commission_pct": 1, "lot_units": 1000}, r"lot_units goes with commission_per_lot"),
]


@pytest.mark.parametrize(("costs", "text"), MISPLACED)
def test_figure_that_does_not_belong_to_the_schedule_is_refused(costs: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        _settings(costs=costs)


SEGMENTS = [
    ("zerodha", {"default": {"segment": "futures"}}, "futures"),
    ("zerodha", {"default": {"segment": "futures"}, "X": {"segment": "options"}}, "options"),
    ("zerodha", {"X": {"segment": "equity"}}, "equity"),
    ("binance_spot", {}, "spot"),  # there is only one
    ("binance_usdm", {"X": {"segment": "futures"}}, "futures"),
    (None, {"X": {"segment": "futures"}}, "futures"),
]


@pytest.mark.parametrize(("schedule", "instruments", "segment"), SEGMENTS)
def test_segment_is_the_symbols_the_templates_or_the_only_one(
    schedule: str | None, instruments: dict[str, object], segment: str
) -> None:
    settings = _settings(execution__engine="v3", costs__schedule=schedule, instruments=instruments)
    assert instrument_of(settings, "X").segment == segment


@pytest.mark.parametrize(
    ("schedule", "instruments", "text"),
    [
        ("zerodha", {}, r"instruments\.X\.segment is not said: the schedule zerodha needs one of equity, equity_intra"),
        ("zerodha", {"X": {"segment": "spot"}}, r"instruments\.X\.segment is spot: the schedule zerodha needs one of"),
        ("binance_spot", {"X": {"segment": "futures"}}, r"segment is futures: the schedule binance_spot needs.* spot"),
    ],
)
def test_segment_that_the_schedule_does_not_price_is_refused(
    schedule: str, instruments: dict[str, object], text: str
) -> None:
    settings = _settings(execution__engine="v3", costs__schedule=schedule, instruments=instruments)
    with pytest.raises(ConfigError, match=text):
        instrument_of(settings, "X")


def test_cushion_covers_the_dearest_purchase_of_the_schedule() -> None:
    settings = _settings(execution__engine="v3", execution__slippage_bps=100, costs__schedule="zerodha")
    charges_ppb = purchase_rate_ppb(Tariff(SCHEDULES["zerodha"], 8))
    # 1 % of slippage, and the charges on the 1.01 that the price has become
    assert profile_of(settings).limits.cost_cushion_ppb == 10_000_000 + -(-charges_ppb * 101 // 100)
