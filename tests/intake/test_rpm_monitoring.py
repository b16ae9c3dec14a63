"""Door 4's monitoring: figures over a sliding window, derived from the journal; alerts, each once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.intake.rpm_driving import Rpm, decision, halted, turned_down

from surefill.domain.effects import Notify
from surefill.intake.rpm.alerts import AlertDesk, AlertLimits, alerts_of_figures
from surefill.views.execution_figures import ExecutionFigures
from surefill.views.execution_table import Stored

GOOD = {"bid": 1.09495, "ask": 1.09505}
WIDE = {"bid": 1.09, "ask": 1.1}


def _send(door: Rpm, number: int, quote: dict[str, float]) -> None:
    door.market.quote = quote
    door.send(decision(f"d{number}", position_units=1_000))


def test_metrics_count_what_the_contract_counts() -> None:
    with Rpm() as door:
        for number in range(3):
            _send(door, number, GOOD)
        _send(door, 3, WIDE)
        door.send(halted("h"))
        door.send(turned_down("t"))
        figures = door.engine.metrics()
    assert figures == ExecutionFigures(
        total=5,
        successful=3,
        partial=0,
        failed=2,
        rejected_upstream=1,
        success_rate=0.6,
        average_slippage_pips=0.5,
        worst_slippage_pips=0.5,
        rejections={"SPREAD_TOO_WIDE": 1, "TRADING_HALTED": 1},
        timeout_rate=0.0,
        network_error_rate=0.0,
        average_latency_s=0.0,
        worst_latency_s=0.0,
    )


def test_metrics_of_nothing_have_no_rates() -> None:
    with Rpm() as door:
        figures = door.engine.metrics()
    assert (figures.total, figures.success_rate, figures.average_slippage_pips) == (0, None, None)


def test_metrics_of_executions_under_way_and_partly_filled_stand_apart() -> None:
    risk = {"disable": ["liquidity"]}
    with Rpm(execution={"partial_fills": True, "latency_ms": 2_000}, risk=risk) as door:
        first = door.send(decision("one"))
        door.send(decision("two"))
        assert (door.engine.metrics().total, door.engine.metrics().open) == (0, 2)
        door.tick(3)
        door.engine.on_quote("EURUSD", 1.0950, 1.0952, bid_size=50_000, ask_size=50_000)
        door.engine.cancel(first.execution_id)
        figures = door.engine.metrics()
    assert (figures.total, figures.open, figures.partial, figures.successful) == (1, 1, 1, 0)
    assert figures.success_rate == 0
    assert figures.average_latency_s == 4.0


def test_metrics_slide_with_their_window_and_survive_a_restart() -> None:
    settings: dict[str, Any] = {"rpm": {"metrics_window_s": 3_600}}
    with Rpm(**settings) as door:
        _send(door, 1, GOOD)
        door.tick(3_000)
        _send(door, 2, GOOD)
        assert door.engine.metrics().total == 2
        door.tick(1_000)
        assert door.engine.metrics().total == 1
        before, journal, clock = door.engine.metrics(), door.journal, door.clock
    with Rpm(journal=journal, clock=clock, **settings) as door:
        assert door.engine.metrics() == before


LIMITS = AlertLimits()
OUT_OF_BOUNDS = [
    (ExecutionFigures(total=10, successful=9, success_rate=0.9), []),
    (ExecutionFigures(total=100, successful=89, success_rate=0.89), ["SUCCESS_RATE_LOW"]),
    (ExecutionFigures(total=9, successful=0, success_rate=0.0), []),  # too few to judge
    (ExecutionFigures(average_slippage_pips=5.0), []),
    (ExecutionFigures(average_slippage_pips=5.01), ["SLIPPAGE_HIGH"]),
    (ExecutionFigures(rejections={"SPREAD_TOO_WIDE": 10}), []),
    (ExecutionFigures(rejections={"SPREAD_TOO_WIDE": 10, "MARKET_CLOSED": 1}), ["REJECTIONS_HIGH"]),
    (ExecutionFigures(), []),
]


@pytest.mark.parametrize(("figures", "codes"), OUT_OF_BOUNDS)
def test_figures_alert_beyond_their_limits_and_not_at_them(figures: ExecutionFigures, codes: list[str]) -> None:
    assert [alert.code for alert in alerts_of_figures(figures, LIMITS)] == codes


def test_success_rate_that_falls_alerts_once_and_again_after_it_was_mended() -> None:
    settings: dict[str, Any] = {"rpm": {"alert_executions_min": 2, "metrics_window_s": 100}}
    with Rpm(**settings) as door:
        _send(door, 1, GOOD)
        for number in range(2, 5):
            _send(door, number, WIDE)
        assert door.hears("SUCCESS_RATE_LOW")
        assert door.engine.health().status == "degraded"
        door.tick(200)
        _send(door, 5, GOOD)
        _send(door, 6, GOOD)
        _wait_for_figures(door)
        assert door.engine.health().problems == ()
        door.tick(200)
        _send(door, 7, WIDE)
        _send(door, 8, WIDE)
        assert door.alerted().count("SUCCESS_RATE_LOW") == 2


def _wait_for_figures(door: Rpm) -> None:
    """What is queued behind the figures' look is told after it."""
    door.engine._alerts.engine("main", Notify("MARK", "", page=True))
    assert door.hears("MARK")


def test_alert_about_an_execution_is_told_once() -> None:
    with Rpm() as door:
        door.send(decision(position_units=5_000_000))
        assert door.alerted() == ["MARGIN_INSUFFICIENT"]


def _unclear() -> Stored:
    cells: dict[str, Any] = {
        "execution_id": "exec_1",
        "symbol": "EURUSD",
        "status": "SUBMITTED",
        "rejection_reason": "NETWORK_ERROR",
        "rejection_details": "OUTCOME_UNKNOWN",
        "rpm_decision_id": "d",
    }
    return Stored(1, cells, {"code": None, "over": False, "orders": [], "decision": {}})


def test_alert_that_stands_is_not_told_with_every_version_of_its_row() -> None:
    heard: list[str] = []
    desk = AlertDesk(lambda alert: heard.append(alert.code), LIMITS)
    for _ in range(3):
        desk.rows([_unclear()], None)
    desk.close()
    assert heard == ["NETWORK_ERROR"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("JOURNAL_LOST", "DATABASE_ERROR"),
        ("APPEND_FAILED", "DATABASE_ERROR"),
        ("BOOKS_NOT_COMPARED", "BROKER_CONNECTION_LOST"),
        ("UNKNOWN_UNRESOLVED", "NETWORK_ERROR"),
        ("LATE_FILL", "LATE_FILL"),
    ],
)
def test_what_the_engine_pages_about_is_told_in_this_doors_words(code: str, told: str) -> None:
    heard: list[str] = []
    desk = AlertDesk(lambda alert: heard.append(alert.code), LIMITS)
    desk.engine("main", Notify(code, "why", page=True))
    desk.engine("main", Notify("WHISPER", "no page"))
    desk.close()
    assert heard == [told]


def test_listener_that_fails_does_not_end_the_telling() -> None:
    heard: list[str] = []

    def fail(alert: Any) -> None:
        heard.append(alert.code)
        raise ValueError("not now")

    desk = AlertDesk(fail, LIMITS)
    for code in ("ONE", "TWO"):
        desk.engine("main", Notify(code, "why", page=True))
    desk.close()
    assert heard == ["ONE", "TWO"]


def test_listener_may_call_the_door() -> None:
    with Rpm() as door:
        found: list[str] = []
        door.engine._alerts._on_alert = lambda alert: found.append(door.engine.history()[0].execution_id)
        confirmation = door.send(halted())
        _close(door)
    assert found == [confirmation.execution_id]


def _close(door: Rpm) -> None:
    door.engine._alerts.close()
