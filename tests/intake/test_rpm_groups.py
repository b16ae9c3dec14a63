"""Groups of legs: complete, partly filled, or taken back; told from the log alone, also after a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.intake.rpm_driving import Rpm, decision

from surefill.domain.events import IntentAccepted, OrderCreated
from surefill.domain.inputs import Halt
from surefill.errors import InputError, LocalError
from surefill.intake.rpm import ExecutionStatus, GroupConfirmation, GroupLeg
from surefill.intake.rpm.carrier import Carrier

SYMBOLS = ("EURUSD", "GBPUSD", "AUDUSD")


def leg(symbol: str, direction: int = 1, units: int = 100_000, priority: int = 0, **terms: Any) -> GroupLeg:
    output = decision(f"leg-{symbol}", symbol=symbol, direction=direction, position_units=units, **terms)
    return GroupLeg(output, priority)


def pair() -> list[GroupLeg]:
    return [leg("EURUSD", 1), leg("GBPUSD", -1)]


class Desk(Rpm):
    """A door whose market shows as much of each symbol as `shown` says, and no book of the others.

    `broken` symbols have no quote, and others break after so many looks (`looks_left`), when `at_the_end` is called. A
    group looks once at each leg before the first is sent, and once more when its turn comes.
    """

    def __init__(self, shown: dict[str, int] | None = None, **settings: Any) -> None:
        self.shown = shown or {}
        self.broken: set[str] = set()
        self.looks_left: dict[str, int] = {}
        self.at_the_end: Callable[[], None] = lambda: None
        risk = {"disable": ["liquidity"], **settings.pop("risk", {})}
        lots = {symbol: {"lot": 1_000} for symbol in SYMBOLS}
        workspace = {"starting_equity": 1_000_000}
        super().__init__(
            feed=self, execution={"partial_fills": True}, risk=risk, instruments=lots, workspace=workspace, **settings
        )

    def get_quote(self, symbol: str) -> Any:
        if symbol in self.looks_left:
            self.looks_left[symbol] -= 1
            if self.looks_left[symbol] < 0:
                del self.looks_left[symbol]
                self.broken.add(symbol)
                self.at_the_end()
        if symbol in self.broken:
            return None
        size = self.shown.get(symbol)
        return {"bid": 1.09495, "ask": 1.09505} | ({} if size is None else {"bid_size": size, "ask_size": size})

    def run(self, legs: list[GroupLeg], group_id: str = "g", **how: Any) -> GroupConfirmation:
        self.tick()
        return self.engine.execute_group(group_id, legs, **how)

    def held(self) -> dict[str, float]:
        return {symbol: row.quantity for symbol, row in self.engine.positions().items() if row.quantity}

    def sent(self) -> list[str]:
        return [event.request.instrument_id for event in self.events() if isinstance(event, OrderCreated)]


def test_group_of_legs_that_fill_is_complete() -> None:
    with Desk() as desk:
        group = desk.run(pair())
        assert (group.status, group.filled_fraction, group.rolled_back) == (ExecutionStatus.FILLED, 1.0, False)
        assert desk.held() == {"EURUSD": 100_000, "GBPUSD": -100_000}
        assert (group.rejection_reason, group.rollbacks) == (None, [])
        assert [leg.status for leg in group.legs] == [ExecutionStatus.FILLED] * 2


def test_group_sends_shorts_first_or_by_priority() -> None:
    legs = [leg("EURUSD", 1, priority=2), leg("GBPUSD", -1, priority=3), leg("AUDUSD", 1, priority=1)]
    with Desk() as desk:
        desk.run(legs)
        assert desk.sent() == ["GBPUSD", "EURUSD", "AUDUSD"]
    with Desk() as desk:
        desk.run(legs, order="priority")
        assert desk.sent() == ["AUDUSD", "EURUSD", "GBPUSD"]


@pytest.mark.parametrize(
    ("filled", "status"),
    [
        (99_000, ExecutionStatus.FILLED),
        (98_000, ExecutionStatus.PARTIALLY_FILLED),
        (90_000, ExecutionStatus.PARTIALLY_FILLED),
        (89_000, ExecutionStatus.REJECTED),
    ],
)
def test_group_is_as_filled_as_its_least_filled_leg(filled: int, status: ExecutionStatus) -> None:
    with Desk({"EURUSD": filled}) as desk:
        group = _ended(desk, pair())
        assert (group.status, group.filled_fraction) == (status, filled / 100_000)
        if status is not ExecutionStatus.REJECTED:
            assert desk.held() == {"EURUSD": filled, "GBPUSD": -100_000}
            return
        assert group.rolled_back
        assert desk.held() == {}
        assert group.rejection_reason == "INSUFFICIENT_FILL"
        assert desk.hears("GROUP_ROLLED_BACK")


def _ended(desk: Desk, legs: list[GroupLeg]) -> GroupConfirmation:
    """A leg that rests half filled is canceled by hand; what is left of a failed group is taken back."""
    desk.run(legs)
    for log in desk.engine.history():
        desk.engine.cancel(log.execution_id)
    desk.shown.clear()
    desk.tick()
    desk.engine.settle_groups()
    group = desk.engine.group("g")
    assert group is not None
    return group


def test_group_whose_leg_is_refused_by_a_gate_is_taken_back_and_the_others_are_not_sent() -> None:
    with Desk() as desk:
        desk.looks_left["EURUSD"] = 1
        group = desk.run([*pair(), leg("AUDUSD")])
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, True)
        assert desk.sent() == ["GBPUSD", "GBPUSD"], "the short went first, and was closed again"
        assert desk.held() == {}
        assert [leg.rejection_reason for leg in group.legs] == [None, "VALIDATION_FAILED", "INSUFFICIENT_FILL"]
        assert [each.executed_units for each in group.rollbacks] == [100_000]
        assert str(group.rejection_details).startswith("leg 2 REJECTED: NO_MARKET_DATA")
        assert desk.alerted().count("GROUP_ROLLED_BACK") == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (leg("AUDUSD", 7), "VALIDATION_FAILED"),
        (leg("AUDUSD", units=100_500), "VALIDATION_FAILED"),
        (leg("AUDUSD", units=90_000_000), "MARGIN_INSUFFICIENT"),
        (leg("AUDUSD", stop_loss=2.0), "VALIDATION_FAILED"),
    ],
    ids=["direction", "lot", "margin", "stop"],
)
def test_group_with_a_leg_that_would_be_refused_sends_nothing_at_all(bad: GroupLeg, reason: str) -> None:
    with Desk() as desk:
        group = desk.run([*pair(), bad])
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, True)
        assert desk.sent() == []
        assert [leg.rejection_reason for leg in group.legs] == ["INSUFFICIENT_FILL", "INSUFFICIENT_FILL", reason]
        assert group.legs[0].rejection_details == "GROUP_FAILED: not sent: leg 3 of group g cannot be executed"


def test_group_takes_back_a_leg_that_was_submitted_and_not_filled() -> None:
    with Desk({"EURUSD": 0}, risk={}) as desk:
        desk.shown["EURUSD"] = 40_000
        group = desk.run(pair())
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, True)
        assert desk.held() == {}
        assert [log.status.value for log in desk.engine.history("EURUSD")][-1] == "PARTIALLY_FILLED"
        assert desk.engine.health().open_executions == 0


def test_group_once_begun_tells_how_it_ended_whatever_is_asked_again() -> None:
    with Desk() as desk:
        first = desk.run(pair())
        desk.broken.update(SYMBOLS)
        assert desk.run([leg("AUDUSD"), leg("EURUSD")]) == first
        assert len(desk.sent()) == 2


def test_group_that_was_never_begun_may_be_sent_again() -> None:
    with Desk() as desk:
        desk.broken.add("GBPUSD")
        assert desk.run(pair()).status is ExecutionStatus.REJECTED
        desk.broken.clear()
        assert desk.run(pair()).status is ExecutionStatus.FILLED


@pytest.mark.parametrize(
    ("legs", "group_id", "order"),
    [
        ([leg("EURUSD")], "g", "shorts_first"),
        ([leg("EURUSD"), leg("EURUSD")], "g", "shorts_first"),
        (pair(), "", "shorts_first"),
        (pair(), "g" * 61, "shorts_first"),
        (pair(), "g", "longs_first"),
    ],
)
def test_group_that_makes_no_sense_is_an_error_and_nothing_is_recorded(
    legs: list[GroupLeg], group_id: str, order: str
) -> None:
    with Desk() as desk:
        with pytest.raises(InputError) as refused:
            desk.run(legs, group_id, order=order)
        assert refused.value.code == "INVALID_GROUP"
        assert desk.engine.history() == []


def test_group_of_a_decision_that_was_executed_before_is_refused_and_nothing_is_sent() -> None:
    with Desk() as desk:
        desk.send(decision("leg-EURUSD", symbol="EURUSD"))
        with pytest.raises(InputError, match="has been executed already"):
            desk.run(pair())
        assert desk.sent() == ["EURUSD"]


def test_group_is_taken_back_although_the_workspace_is_halted() -> None:
    with Desk() as desk:
        halt = Halt(desk.clock.now_ns(), "OPERATOR", "stop", "somebody")
        desk.looks_left["EURUSD"], desk.at_the_end = 1, lambda: desk.engine._door.feed([halt])
        group = desk.run(pair())
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, True)
        assert group.legs[1].rejection_reason == "TRADING_HALTED"
        assert desk.held() == {}


def test_group_whose_position_has_left_by_its_own_stop_opens_nothing_and_says_so() -> None:
    with Desk() as desk:
        desk.looks_left["EURUSD"] = 1
        desk.at_the_end = lambda: desk.engine.on_quote("GBPUSD", 1.1101, 1.1102)
        group = desk.run([leg("EURUSD"), leg("GBPUSD", -1, stop_loss=1.11)])
        assert desk.held() == {}
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, False)
        assert desk.hears("GROUP_NOT_ROLLED_BACK")
        assert desk.engine.settle_groups() == []


def test_group_whose_position_was_reduced_meanwhile_closes_what_is_left_of_it_and_says_so() -> None:
    with Desk() as desk:
        desk.looks_left["EURUSD"] = 1
        other = decision("other", symbol="GBPUSD", direction=1, position_units=60_000)

        def reduced_by_another() -> None:
            desk.engine.execute(other)

        desk.at_the_end = reduced_by_another
        group = desk.run(pair())
        assert desk.held() == {}
        assert [each.executed_units for each in group.rollbacks] == [40_000, 0]
        assert group.rollbacks[1].rejection_details is not None
        assert group.rollbacks[1].rejection_details.startswith("NO_POSITION")
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, False)
        assert desk.hears("GROUP_NOT_ROLLED_BACK")


class Crash(Exception):
    """The process ends here."""


def _crash_before(number: int) -> Callable[[Carrier, Any], Any]:
    calls = iter(range(1, 100))

    def carry_out(self: Carrier, translated: Any) -> Any:
        if next(calls) == number:
            raise Crash
        return CARRY_OUT(self, translated)

    return carry_out


CARRY_OUT = Carrier.carry_out


@pytest.mark.parametrize("number", [1, 2, 3])
def test_group_left_in_the_middle_by_a_crash_is_taken_back_by_the_next_start(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desk() as desk:
        monkeypatch.setattr(Carrier, "carry_out", _crash_before(number))
        with pytest.raises(Crash):
            desk.run([leg("EURUSD"), leg("GBPUSD", -1), leg("AUDUSD")])
        monkeypatch.setattr(Carrier, "carry_out", CARRY_OUT)
        assert len(desk.held()) == number - 1
        journal, clock = desk.journal, desk.clock
    with Desk(journal=journal, clock=clock) as desk:
        assert desk.held() == {}
        group = desk.engine.group("g")
        if number == 1:
            assert group is None
            return
        assert group is not None
        assert (group.status, group.rolled_back) == (ExecutionStatus.SUBMITTED, True)
        assert f"{4 - number} legs were never begun" in str(group.rejection_details)
        assert desk.hears("GROUP_ROLLED_BACK")
        events = len(desk.events())
    with Desk(journal=journal, clock=clock) as desk:
        assert desk.sent().count("GBPUSD") == 2, "taken back once, and never again"
        assert not [event for event in desk.events()[events:] if isinstance(event, IntentAccepted)]


@pytest.mark.parametrize("number", [3, 4])
def test_group_whose_rollback_was_cut_off_is_taken_back_by_the_next_start_and_once(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desk() as desk:
        desk.looks_left["AUDUSD"] = 1
        monkeypatch.setattr(Carrier, "carry_out", _crash_before(number + 1))
        with pytest.raises(Crash):
            desk.run([leg("EURUSD"), leg("GBPUSD", -1), leg("AUDUSD")])
        monkeypatch.setattr(Carrier, "carry_out", CARRY_OUT)
        journal, clock = desk.journal, desk.clock
    with Desk(journal=journal, clock=clock) as desk:
        assert desk.held() == {}
        assert sorted(desk.sent()) == ["EURUSD", "EURUSD", "GBPUSD", "GBPUSD"]


def test_group_that_cannot_be_taken_back_alerts_and_is_taken_back_when_it_can_be() -> None:
    with Desk() as desk:
        desk.looks_left["EURUSD"], desk.at_the_end = 1, lambda: desk.broken.update(SYMBOLS)
        group = desk.run(pair())
        assert (group.status, group.rolled_back) == (ExecutionStatus.REJECTED, False)
        assert desk.hears("GROUP_NOT_ROLLED_BACK")
        assert desk.held() == {"GBPUSD": -100_000}
        desk.broken.clear()
        (settled,) = desk.engine.settle_groups()
        assert settled.rolled_back
        assert desk.held() == {}


def test_group_interrupted_by_the_engine_itself_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    with Desk() as desk:
        calls = iter(range(100))

        def failing(self: Carrier, translated: Any) -> Any:
            if next(calls) == 1:
                raise LocalError("the disk is gone")
            return CARRY_OUT(self, translated)

        monkeypatch.setattr(Carrier, "carry_out", failing)
        with pytest.raises(LocalError, match="the disk is gone"):
            desk.run(pair())
        assert desk.hears("GROUP_NOT_ROLLED_BACK")
        monkeypatch.setattr(Carrier, "carry_out", CARRY_OUT)
        desk.engine.settle_groups()
        assert desk.held() == {}
