"""The policy re-check, rule by rule: passes, blocks, at the limit to the unit, and when it cannot see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.intake.intents_driving import NOON_NS, done, event_types, paper_broker, trade

from surefill.config import Settings
from surefill.domain.inputs import Halt
from surefill.domain.intent import Action, Intent
from surefill.engine.clock import VirtualClock
from surefill.errors import InputError
from surefill.intake.intents import ExecutionOutcome, PaperBroker
from surefill.intake.session import Session
from surefill.journal import MemoryJournal
from surefill.rules.codes import KillLevel


@pytest.fixture
def broker() -> Iterator[PaperBroker]:
    with paper_broker() as made:
        yield made


def _rejected(outcome: ExecutionOutcome, detail: str, rule: str) -> ExecutionOutcome:
    """A refusal by policy: 200, journaled, with its rule."""
    assert (outcome.http_status, outcome.success, outcome.code) == (200, False, "POLICY_REJECTED"), outcome
    assert (outcome.detail, outcome.status, outcome.order_id) == (detail, "REJECTED", "")
    assert event_types(outcome) == ["INTENT_EMITTED", "POLICY_EVALUATED", "POLICY_REJECTED"]
    said = outcome.events[1].payload
    assert (said["stage"], said["approved"], said["rule"]) == ("execution", False, rule)
    assert outcome.events[2].payload == {"code": detail, "reason": outcome.reason, "rule": rule}
    return outcome


# -- kill switch (0) ------------------------------------------------------------------------------------------


def test_kill_switch_is_200_policy_rejected_journaled_and_lets_exits_through(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    broker.halt("main", "fat finger", by="ada")
    outcome = _rejected(broker.execute(trade("b"), 100.0), "HALTED", "kill_switch")
    assert "fat finger" in outcome.reason
    assert broker.events("main")[-1] == outcome.events[-1]
    assert broker.state("main").halted == "KILL_SWITCH: fat finger"
    done(broker.execute(trade("c", "CLOSE_LONG"), 100.0))
    broker.resume("main", by="ada")
    done(broker.execute(trade("b"), 100.0))


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"scope": "engine"}, "ENGINE_HALTED"),
        ({"scope": "venue"}, "VENUE_HALTED"),
        ({"instrument_id": "BTCUSDT"}, "SYMBOL_HALTED"),
    ],
)
def test_kill_switch_of_every_level_is_policy_rejected(broker: PaperBroker, fields: Any, detail: str) -> None:
    broker.session.feed(Halt(NOON_NS, "NEWS", "split today", "ada", **fields))
    _rejected(broker.execute(trade("a"), 100.0), detail, "kill_switch")
    if detail == "SYMBOL_HALTED":
        done(broker.execute(trade("b", symbol="ETHUSDT"), 100.0))


def test_kill_switch_at_throttle_is_policy_rejected_until_its_time() -> None:
    clock = VirtualClock(NOON_NS)
    with paper_broker(clock=clock) as broker:
        done(broker.execute(trade("a"), 100.0))
        broker.session.feed(Halt(NOON_NS, "BUSY", "slowly", "ada", level=KillLevel.THROTTLE))
        _rejected(broker.execute(trade("b"), 100.0), "THROTTLED", "kill_switch")
        clock.advance_to(NOON_NS + 60 * 10**9)
        done(broker.execute(trade("b"), 100.0))


def test_kill_switch_holds_in_its_own_workspace_only(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", workspace_id="one"), 100.0))
    broker.halt("one", "stop")
    assert broker.execute(trade("b", workspace_id="one"), 100.0).code == "POLICY_REJECTED"
    done(broker.execute(trade("b", workspace_id="two"), 100.0))


# -- strategy pause -------------------------------------------------------------------------------------------


def test_paused_strategy_stays_paused_over_a_restart_and_a_reset() -> None:
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        broker.pause("main", "s1", "under review", by="ada")
    with paper_broker(journal=journal) as broker:
        broker.reset("main")
        outcome = broker.execute(trade("b"), 100.0)
        assert (outcome.http_status, outcome.success, outcome.code) == (200, False, "STRATEGY_PAUSED")
        assert outcome.events[-1].payload["rule"] == "kill_switch"
        assert "under review" in outcome.reason
        done(broker.execute(trade("c", strategy="s2"), 100.0))
        done(broker.execute(trade("d", "CLOSE_LONG", strategy="s2"), 100.0))
        broker.resume("main", strategy_id="s1", by="bob")
        assert broker.state("main").paused == {}
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("b"), 100.0))


def test_pause_of_nobody_is_refused_and_halts_nothing(broker: PaperBroker) -> None:
    with pytest.raises(InputError) as raised:
        broker.pause("main", "", "oops")
    assert raised.value.code == "NAME_REQUIRED"
    done(broker.execute(trade("a"), 100.0))


# -- regime drift guard (10) ----------------------------------------------------------------------------------


class Drift(NamedTuple):
    """A `regime_distance_z`, and what becomes of the intent: "" passes, "warn" passes with a warning."""

    distance: object
    expected: str


DRIFTS = [
    Drift(0, ""),
    Drift(1.999999999, ""),
    Drift(2.0, "warn"),
    Drift("-2", "warn"),
    Drift(2.718281828459045, "warn"),
    Drift(2.999999999, "warn"),
    Drift(2.9999999999, "no"),  # finer than is counted: rounded outwards
    Drift(3, "no"),
    Drift(-3.0, "no"),
    Drift(1_000_000.5, "no"),
]


@pytest.mark.parametrize("row", DRIFTS)
def test_regime_drift_guard_row(broker: PaperBroker, row: Drift) -> None:
    outcome = broker.execute(trade("a", metadata={"regime_distance_z": row.distance}), 100.0)
    if row.expected == "no":
        assert "3 are the limit" in _rejected(outcome, "REGIME_DRIFT", "regime_drift_guard").reason
        return
    said = done(outcome).events[1].payload
    assert said["approved"] is True
    warnings = said.get("warnings", [])
    assert len(warnings) == (row.expected == "warn")  # type: ignore[arg-type]
    if row.expected == "warn":
        assert warnings[0].startswith("regime_drift_guard: the regime is 2")  # type: ignore[index]


def test_regime_drift_guard_holds_no_exit(broker: PaperBroker) -> None:
    done(broker.execute(trade("a"), 100.0))
    outcome = done(broker.execute(trade("b", "CLOSE_LONG", metadata={"regime_distance_z": 9.5}), 100.0))
    assert "warnings" not in outcome.events[1].payload


@pytest.mark.parametrize("metadata", [{}, {"regime_distance_z": None}])
def test_regime_drift_guard_without_a_figure_passes_unless_it_is_required(metadata: dict[str, object]) -> None:
    with paper_broker() as broker:
        done(broker.execute(trade("a", metadata=metadata), 100.0))
    for sections in ({"policy": {"require_regime": True}}, {"risk": {"enable": ["regime"]}}):
        with paper_broker(**sections) as broker:
            outcome = broker.execute(trade("a", metadata=metadata), 100.0)
            assert "regime" in _rejected(outcome, "FIGURE_MISSING", "regime_drift_guard").reason
            done(broker.execute(trade("a", metadata={"regime_distance_z": 1}), 100.0))


@pytest.mark.parametrize("distance", [float("nan"), float("inf"), "far", True, [2.0], {"z": 1}, 1e300])
def test_regime_drift_guard_refuses_what_is_no_number(broker: PaperBroker, distance: object) -> None:
    outcome = broker.execute(trade("a", metadata={"regime_distance_z": distance}), 100.0)
    assert (outcome.http_status, outcome.code, outcome.success) == (400, "INVALID_FIGURE", False)


def test_regime_drift_guard_takes_its_limits_from_the_settings() -> None:
    with paper_broker(policy={"regime_warn_z": 0.5, "regime_reject_z": 1.5}) as broker:
        outcome = done(broker.execute(trade("a", metadata={"regime_distance_z": 0.5}), 100.0))
        assert outcome.events[1].payload["warnings"]
        refused = broker.execute(trade("b", metadata={"regime_distance_z": 1.5}), 100.0)
        _rejected(refused, "REGIME_DRIFT", "regime_drift_guard")


# -- max drawdown (20) ----------------------------------------------------------------------------------------


def test_max_drawdown_blocks_openings_beyond_5_percent_and_lets_exits_through(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", quantity=10.0), 100.0))
    broker.quote("main", "BTCUSDT", 50.0)  # 500 of 10000: exactly at the limit
    done(broker.execute(trade("b", symbol="ETHUSDT"), 1.0))
    outcome = broker.execute(trade("c", symbol="ETHUSDT"), 0.99)  # one cent more
    assert "5 %" in _rejected(outcome, "DRAWDOWN", "max_drawdown").reason
    done(broker.execute(trade("d", "CLOSE_LONG", 10.0), 50.0))


def test_max_drawdown_stays_tripped_over_a_restart_until_a_person_rearms_it() -> None:
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a", quantity=10.0), 100.0))
        done(broker.execute(trade("b", "CLOSE_LONG", 10.0), 49.0))
        _rejected(broker.execute(trade("c"), 49.0), "DRAWDOWN", "max_drawdown")
    with paper_broker(journal=journal) as broker:
        outcome = _rejected(broker.execute(trade("c"), 49.0), "DRAWDOWN", "max_drawdown")
        assert "re-arm" in outcome.reason
        broker.rearm("main", by="ada")
        done(broker.execute(trade("c"), 49.0))
        with pytest.raises(InputError, match="has not tripped"):
            broker.rearm("main", by="ada")


def test_max_drawdown_with_a_position_without_price_says_no_until_it_has_one() -> None:
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
    with paper_broker(journal=journal) as broker:  # a restart forgets prices
        _rejected(broker.execute(trade("b", symbol="ETHUSDT"), 10.0), "EQUITY_UNKNOWN", "max_drawdown")
        broker.quote("main", "BTCUSDT", 100.0)
        done(broker.execute(trade("b", symbol="ETHUSDT"), 10.0))


def test_max_drawdown_never_trips_on_a_profit_and_counts_from_its_highest(broker: PaperBroker) -> None:
    done(broker.execute(trade("a", quantity=10.0), 100.0))
    broker.quote("main", "BTCUSDT", 1_100.0)  # the equity is 20000 now, 5 % of it are 1000
    done(broker.execute(trade("b", symbol="ETHUSDT"), 1.0))
    broker.quote("main", "BTCUSDT", 1_000.0)
    done(broker.execute(trade("c", symbol="ETHUSDT"), 1.0))
    broker.quote("main", "BTCUSDT", 999.0)
    _rejected(broker.execute(trade("d", symbol="ETHUSDT"), 1.0), "DRAWDOWN", "max_drawdown")


@pytest.mark.parametrize(
    ("sections", "passes"),
    [
        ({"policy": {"max_drawdown_pct": 9}}, True),
        ({"policy": {"max_drawdown_pct": 7.99}}, False),
        ({"policy": {"limit_drawdown": False}}, True),
        ({"risk": {"disable": ["drawdown"]}}, True),
        ({"risk": {"drawdown_max_pct": 7}}, False),
    ],
)
def test_max_drawdown_takes_its_limit_from_the_settings(sections: Any, passes: bool) -> None:
    with paper_broker(**sections) as broker:
        done(broker.execute(trade("a", quantity=10.0), 100.0))
        broker.quote("main", "BTCUSDT", 20.0)
        outcome = broker.execute(trade("b"), 20.0)
        assert outcome.success is passes
        if not passes:
            _rejected(outcome, "DRAWDOWN", "max_drawdown")


# -- sizing (50) ----------------------------------------------------------------------------------------------

CAPPED: dict[str, Any] = {"policy": {"max_position_pct": 10}}  # 1000 of 10000


def test_sizing_at_execution_refuses_what_is_beyond_the_cap_and_never_shrinks() -> None:
    with paper_broker(**CAPPED) as broker:
        outcome = broker.execute(trade("a", quantity=10.00000001), 100.0)
        assert "leaves 10 " in _rejected(outcome, "SIZE_ABOVE_CAP", "sizing").reason
        assert broker.positions("main") == {}
        assert done(broker.execute(trade("a", quantity=10.0), 100.0)).filled_quantity == 10.0
        _rejected(broker.execute(trade("b", quantity=0.00000001), 100.0), "SIZE_ABOVE_CAP", "sizing")
        done(broker.execute(trade("c", "CLOSE_LONG", 10.0), 100.0))


def test_sizing_in_total_counts_every_position() -> None:
    with paper_broker(policy={"max_total_pct": 10}) as broker:
        done(broker.execute(trade("a", quantity=6.0), 100.0))
        _rejected(broker.execute(trade("b", symbol="ETHUSDT", quantity=4.01), 100.0), "SIZE_ABOVE_CAP", "sizing")
        done(broker.execute(trade("b", symbol="ETHUSDT", quantity=4.0), 100.0))


def test_sizing_that_cannot_see_what_it_needs_says_no() -> None:
    with paper_broker(policy={"max_risk_pct": 1}) as broker:
        _rejected(broker.execute(trade("a"), 100.0), "SIZE_INPUT_MISSING", "sizing")  # no stop to measure by
        done(broker.execute(trade("a", stop_loss=99.0), 100.0))
        _rejected(broker.execute(trade("b", quantity=100.0, stop_loss=99.0), 100.0), "SIZE_ABOVE_CAP", "sizing")
    with paper_broker("paper_full", policy={"max_position_pct": 10}) as broker:
        _rejected(broker.execute(trade("a")), "SIZE_INPUT_MISSING", "sizing")  # no price


def test_sizing_without_caps_says_nothing(broker: PaperBroker) -> None:
    assert done(broker.execute(trade("a", quantity=100.0), 100.0)).filled_quantity == 100.0


# -- all of them ----------------------------------------------------------------------------------------------


def test_rules_short_circuit_by_priority() -> None:
    far: dict[str, object] = {"regime_distance_z": 5}
    with paper_broker(**CAPPED) as broker:
        done(broker.execute(trade("a", quantity=9.0), 100.0))
        broker.quote("main", "BTCUSDT", 10.0)  # 810 lost
        broker.halt("main", "all at once")
        expected = [("HALTED", "kill_switch"), ("REGIME_DRIFT", "regime_drift_guard"), ("DRAWDOWN", "max_drawdown")]
        for detail, rule in expected:
            _rejected(broker.execute(trade("b", quantity=500.0, metadata=far), 10.0), detail, rule)
            if rule == "kill_switch":
                broker.resume("main")
            elif rule == "regime_drift_guard":
                far = {}
            else:
                broker.rearm("main", by="ada")
        _rejected(broker.execute(trade("b", quantity=500.0), 10.0), "SIZE_ABOVE_CAP", "sizing")
        done(broker.execute(trade("b", quantity=1.0), 10.0))


@pytest.mark.parametrize("profile", ["paper_long_only", "paper_full"])
def test_policy_holds_for_intents_that_come_past_the_door(profile: str) -> None:
    """The rules are gates of the workspace: whoever submits meets them."""
    with paper_broker(profile, policy={"max_position_pct": 10}) as broker:
        done(broker.execute(trade("a"), 100.0))
        known = {"door": "other", "strategy_id": "s1", "instrument_id": "BTCUSDT", "action": Action.OPEN, "side": 1}
        large = broker.session.submit(Intent("x", "x", order_qty=50 * 10**8, **known))  # type: ignore[arg-type]
        assert large.code == "SIZE_ABOVE_CAP"
        drifted = broker.session.submit(
            Intent("y", "y", order_qty=10**8, figures={"regime_z": 3 * 10**9}, **known)  # type: ignore[arg-type]
        )
        assert drifted.code == "REGIME_DRIFT"
        last = broker.events("main")[-1]
        assert (last.event_type, last.payload["code"]) == ("POLICY_REJECTED", "REGIME_DRIFT")
        assert broker.positions("main")["BTCUSDT"].quantity == 1.0


def test_policy_is_given_to_a_workspace_that_somebody_else_opened() -> None:
    settings = Settings.model_validate({"execution": {"engine": "paper_full"}})
    with Session.open(settings, clock=VirtualClock(NOON_NS), journal=MemoryJournal()) as session:
        assert "drawdown" not in session.read(lambda state: state.book.profile.gates)
        broker = PaperBroker(session)
        done(broker.execute(trade("a", quantity=10.0), 100.0))
        assert "drawdown" in session.read(lambda state: state.book.profile.gates)
        versions = session.read(lambda state: state.book.limits_version)
        broker.quote("main", "BTCUSDT", 40.0)
        _rejected(broker.execute(trade("b"), 40.0), "DRAWDOWN", "max_drawdown")
        assert PaperBroker(session).execute(trade("b"), 40.0).code == "POLICY_REJECTED"
        assert session.read(lambda state: state.book.limits_version) == versions


def test_other_refusals_keep_their_own_names_and_are_400(broker: PaperBroker) -> None:
    outcome = broker.execute(trade("a", quantity=1_000.0), 100.0)
    assert (outcome.http_status, outcome.code) == (400, "INSUFFICIENT_CASH")
    assert event_types(outcome) == ["INTENT_EMITTED", "POLICY_EVALUATED", "ORDER_REJECTED"]
    assert outcome.events[1].payload == {"stage": "execution", "approved": True}
