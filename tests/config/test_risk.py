"""The settings under `risk`: gates and their order, every limit in its unit, and what is refused at start."""

from __future__ import annotations

from typing import Any

import pytest

from surefill.config import Settings, profile_of
from surefill.config.risk import _KEYS, GUARDIAN, NEEDED, THROTTLER
from surefill.domain.limits import REARM_DAY, REARM_HUMAN
from surefill.domain.profile import PROFILES, Profile
from surefill.domain.sizing import Correlation
from surefill.errors import ConfigError
from surefill.rules.codes import PartialFill
from surefill.units import NS_PER_S, PPB


def _profile(engine: str = "v3", money_decimals: int = 2, **risk: Any) -> Profile:
    sections = {"workspace": {"money_decimals": money_decimals}, "risk": risk}
    return profile_of(Settings.model_validate({"execution": {"engine": engine}, **sections}))


# -- which gates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["v3", "v2", "pipeline", "rpm"])
def test_gates_are_the_profiles_where_nothing_is_said(engine: str) -> None:
    assert _profile(engine).gates == PROFILES[engine].gates
    assert _profile(engine).rechecks == PROFILES[engine].rechecks


def test_gates_listed_are_asked_in_that_order_instead() -> None:
    listed = ["lots", *reversed(NEEDED), "collar"]
    assert _profile(gates=listed).gates == tuple(listed)


def test_gates_are_added_after_the_profiles_once_and_left_out() -> None:
    found = _profile(enable=["lots", "collar", "lots", "stale"], disable=["duplicate"]).gates
    assert found == (*(name for name in PROFILES["v3"].gates if name != "duplicate"), "lots", "collar")


def test_throttler_is_asked_first_and_the_guardian_last() -> None:
    found = _profile("v2", throttler=True, guardian=True)
    assert found.gates == (*THROTTLER, *PROFILES["v2"].gates, *GUARDIAN)
    assert found.limits.price_max_age_ns == 3 * NS_PER_S


@pytest.mark.parametrize("rechecks", [[], ["tick_age"], ["margin_left", "tick_age"]])
def test_rechecks_listed_are_asked_instead_none_if_none_is(rechecks: list[str]) -> None:
    assert _profile("rpm", rechecks=rechecks).rechecks == tuple(rechecks)


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        ({"gates": [*NEEDED, "collars"]}, ("risk.gates", "collars", "there is none of that name")),
        ({"enable": ["Lots"]}, ("risk.enable", "Lots", "lots")),
        ({"disable": ["nothing"]}, ("risk.disable", "nothing")),
        ({"disable": ["collar"]}, ("risk.disable", "collar", "profile v3 does not ask it anyway")),
        ({"rechecks": ["collar"]}, ("risk.rechecks", "collar", "tick_age")),
        ({"rearm": {"drawdowns": "human"}}, ("risk.rearm.drawdowns", "daily_loss")),
        ({"correlations": {"X": 1}}, ("risk.correlations", "ONE,OTHER")),
        ({"correlations": {"X,X": 1}}, ("risk.correlations", "X,X")),
        ({"correlations": {"X,Y": 1, "Y, X": 0}}, ("risk.correlations", "Y, X", "once")),
        ({"order_value_max": "0.001"}, ("risk.order_value_max", "0.001", "at most 2 decimals")),
        *(({"disable": [name]}, ("risk.disable", name, "no order can do without it")) for name in NEEDED),
        *(
            ({"gates": [other for other in NEEDED if other != name]}, ("risk.gates", f"do without {name}"))
            for name in NEEDED
        ),
    ],
)
def test_what_cannot_be_is_an_error_at_start_that_says_where(risk: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        _profile(**risk)
    assert [word for word in words if word not in str(refused.value)] == []


@pytest.mark.parametrize(
    "risk", [{"collar_pct": 3}, {"order_lots_max": -1}, {"order_lots_max": "1.5"}, {"rearm": {"slippage": 0}}]
)
def test_parameter_that_does_not_exist_or_cannot_be_is_an_error(risk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(risk))):
        _profile(**risk)


# -- how much -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", _KEYS)
def test_every_limit_reaches_its_field_in_its_unit(key: str) -> None:
    field, unit = _KEYS[key]
    plain = _profile()
    if key in ("shutdown_flattens", "balance_drift_halts"):
        flags: dict[str, Any] = {key: True}
        assert getattr(_profile(**flags).limits, field) is True
        return
    scale = 10 ** (2 if isinstance(unit, str) else unit)
    risk: dict[str, Any] = {key: 7}
    found = _profile(**risk)
    assert getattr(found.limits, field) == 7 * scale
    others = set(plain.limits.__struct_fields__) - {field}
    assert [name for name in others if getattr(found.limits, name) != getattr(plain.limits, name)] == []


@pytest.mark.parametrize(("decimals", "quanta"), [(0, 5), (2, 500), (6, 5 * 10**6)])
def test_money_is_counted_in_the_workspaces_quanta(decimals: int, quanta: int) -> None:
    assert _profile(money_decimals=decimals, exposure_value_max=5).limits.exposure_value_max == quanta


@pytest.mark.parametrize(
    ("how", "ns"), [("human", REARM_HUMAN), ("day", REARM_DAY), (1, NS_PER_S), ("0.5", NS_PER_S // 2)]
)
def test_way_in_which_a_breaker_is_armed_again_is_set_by_breaker(how: object, ns: int) -> None:
    limits = _profile(rearm={"slippage": how}).limits
    assert limits.rearm_of("slippage") == ns
    assert limits.rearm_of("drawdown") == REARM_HUMAN


@pytest.mark.parametrize(("word", "policy"), [("accept", PartialFill.ACCEPT), ("retry", PartialFill.RETRY)])
def test_what_becomes_of_an_unfilled_rest_is_set_by_word(word: str, policy: PartialFill) -> None:
    assert _profile(partial_fill=word).limits.partial_fill == policy


def test_tables_of_ids_and_correlations_reach_the_profile() -> None:
    found = _profile(algo_ids={"s": "NSE-1"}, correlations={"X,Y": "0.5", "X, Z": -1})
    assert found.algo_ids == {"s": "NSE-1"}
    assert found.correlations == (Correlation("X", "Y", PPB // 2), Correlation("X", "Z", -PPB))


@pytest.mark.parametrize(("word", "halts"), [("halt", True), ("continue", False), (None, True)])
def test_trades_made_elsewhere_halt_unless_told_to_go_on(word: str | None, halts: bool) -> None:
    assert _profile(external_trades=word).limits.external_halts == halts
