"""Every fault that makes an outcome unknown: at most one order under an id in the terminal's truth, and it is found."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tests.venues.mt5.rig import Rig, request

from surefill.domain.reports import ExecType
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType
from surefill.testing.emulators import AnyFault, EmulatorProcess, Fault, WireFault
from surefill.units import NS_PER_S
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.mt5.comments import comment_of
from surefill.venues.protocol import Accepted, Rejected, Unknown

#: Fault at the order, whether it is done all the same.
UNKNOWN_AT_SUBMIT: list[tuple[AnyFault, bool]] = [
    (Fault.LOSE_REQUEST, False),
    (Fault.DELAY_REQUEST, True),
    (Fault.LOSE_ANSWER, True),
    (Fault.DELAY_ANSWER, True),
    (Fault.GARBLE_ANSWER, True),
    (Fault.SERVER_ERROR, True),
    (Fault.DISCONNECT, False),
    (Fault.DISCONNECT_AFTER, True),
    (Fault.FILLED_UNSEEN, True),
    (WireFault.STATUS_UNKNOWN, True),
    (WireFault.UNAVAILABLE, False),
]
ORDERS: list[dict[str, Any]] = [{}, {"ord_type": OrdType.LIMIT, "px": 109_000}]


@pytest.mark.parametrize("terms", ORDERS, ids=["market", "limit"])
@pytest.mark.parametrize(("fault", "done"), UNKNOWN_AT_SUBMIT, ids=[fault.name for fault, _ in UNKNOWN_AT_SUBMIT])
def test_order_with_an_unknown_outcome_is_there_once_and_found(
    terminal: EmulatorProcess, way: str, fault: AnyFault, done: bool, terms: dict[str, Any]
) -> None:
    rig, order = Rig(terminal, way), request(**terms)
    late = fault in (Fault.DELAY_REQUEST, Fault.DELAY_ANSWER)
    terminal.arm(fault, op="submit")

    async def story(venue: Mt5Venue) -> Any:
        outcome = await venue.submit(order)
        if late:  # its answer strikes this on its way out, so that it cannot touch the next test
            terminal.arm(Fault.GARBLE_ANSWER, op="submit")
            await rig.until(lambda: terminal.truth().fired["GARBLE_ANSWER"])
        await rig.until(lambda: sum(rig.taken().values()) == int(done))
        return outcome, await venue.query(order)

    outcome, answer = rig.run(story)

    assert isinstance(outcome, Unknown), outcome
    assert rig.taken() == ({comment_of(order.cl_ord_id): 1} if done else {})
    assert answer.found is done
    assert terminal.truth().fired[fault.name] == 1
    if done:
        last = answer.reports[-1]
        assert last.exec_type == (ExecType.STATUS if terms else ExecType.TRADE)


@pytest.mark.parametrize("cut", [31, 16, 12, 9])
def test_order_whose_comment_was_cut_is_found_by_an_adapter_that_knows_nothing(
    terminal: EmulatorProcess, cut: int
) -> None:
    rig, order, other = Rig(terminal, comment_max=cut), request(), request()
    terminal.arm(Fault.LOSE_ANSWER, op="submit")
    rig.run(lambda venue: venue.submit(order))

    answer = rig.run(lambda venue: venue.query(order))

    assert [ExecType(report.exec_type).name for report in answer.reports] == ["NEW", "TRADE"]
    if cut > 14:  # ids of this test differ in their last characters only
        assert not rig.run(lambda venue: venue.query(other)).found


@pytest.mark.parametrize("cut", [0, 5, 8])
def test_order_whose_comment_tells_nothing_is_neither_found_nor_absent(terminal: EmulatorProcess, cut: int) -> None:
    rig, order = Rig(terminal, comment_max=cut), request()
    terminal.arm(Fault.LOSE_ANSWER, op="submit")
    rig.run(lambda venue: venue.submit(order))

    with pytest.raises(VenueOutcomeUnknown, match="resolve it by hand"):
        rig.run(lambda venue: venue.query(order))
    assert not rig.run(lambda venue: venue.query(request(qty=11))).found


@pytest.mark.parametrize("op", ["open_orders", "history", "trades", "positions"])
def test_look_that_fails_is_no_answer(terminal: EmulatorProcess, way: str, op: str) -> None:
    rig, order = Rig(terminal, way), request()

    async def story(venue: Mt5Venue) -> None:
        terminal.arm(Fault.QUERY_ERROR, 100, op=op)
        await venue.query(order)

    with pytest.raises(VenueOutcomeUnknown, match="Call failed"):
        rig.run(story)
    terminal.heal()


def test_throttled_order_may_be_sent_again_after_a_pause(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.arm(Fault.THROTTLED, op="submit")

    outcome = rig.run(lambda venue: venue.submit(request()))

    assert isinstance(outcome, Rejected)
    assert (outcome.undelivered, outcome.retry_after_ns) == (True, 10**9)


def test_refused_order_is_rejected(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.arm(Fault.REFUSED, op="submit")

    outcome = rig.run(lambda venue: venue.submit(request()))

    assert isinstance(outcome, Rejected)
    assert outcome.code == "10006 REJECT"


def test_order_before_which_the_terminal_fell_silent_was_never_sent(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.arm(Fault.DISCONNECT, 20, op="symbol_info_tick")

    async def story(venue: Mt5Venue) -> Any:
        terminal.arm(Fault.DISCONNECT, 20, op="symbol_info_tick")
        return await venue.submit(request())

    terminal.heal()
    outcome = rig.run(story)
    terminal.heal()

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == ("NOT_SENT", True)
    assert not rig.taken()


@pytest.mark.parametrize("fault", [Fault.LOSE_REPORT, Fault.DUPLICATE_REPORT, Fault.REORDER_REPORTS])
def test_deal_that_a_look_leaves_out_or_repeats_is_told_once(terminal: EmulatorProcess, fault: Fault) -> None:
    rig = Rig(terminal)
    orders = [request(ord_type=OrdType.LIMIT, px=109_000 + number) for number in range(2)]

    async def story(venue: Mt5Venue) -> None:
        for order in orders:
            await venue.submit(order)
        terminal.arm(fault, op="trades")
        terminal.price("EURUSD", bid="1.0890", ask="1.0891")
        await rig.until(lambda: len(rig.reports) >= 2 and terminal.truth().fired[fault.name])
        await asyncio.sleep(0)

    rig.run(story)

    trades = [report.cl_ord_id for report in rig.reports if report.exec_type == ExecType.TRADE]
    assert sorted(trades) == sorted(order.cl_ord_id for order in orders)


def test_cancel_that_races_with_a_fill_is_refused_and_the_fill_found(terminal: EmulatorProcess, way: str) -> None:
    rig, order = Rig(terminal, way), request(ord_type=OrdType.LIMIT, px=109_000)

    async def story(venue: Mt5Venue) -> Any:
        accepted = await venue.submit(order)
        assert isinstance(accepted, Accepted)
        terminal.arm(Fault.CANCEL_FILL_RACE, op="cancel")
        return await venue.cancel(order, accepted.reports[0].order_id), await venue.query(order)

    outcome, answer = rig.run(story)

    assert isinstance(outcome, Rejected)
    assert answer.reports[-1].exec_type == ExecType.TRADE


@pytest.mark.parametrize("fault", [Fault.END_BEFORE_FILLS, Fault.LATE_FILL])
def test_fill_beside_a_cancel_reaches_the_stream(terminal: EmulatorProcess, way: str, fault: Fault) -> None:
    rig, order = Rig(terminal, way), request(ord_type=OrdType.LIMIT, px=109_000)

    async def story(venue: Mt5Venue) -> Any:
        accepted = await venue.submit(order)
        assert isinstance(accepted, Accepted)
        terminal.arm(fault, op="cancel")
        canceled = await venue.cancel(order, accepted.reports[0].order_id)
        await rig.until(lambda: any(report.exec_type == ExecType.TRADE for report in rig.reports))
        return canceled

    canceled = rig.run(story)

    assert isinstance(canceled, Accepted)
    ends = {Fault.END_BEFORE_FILLS: (5,), Fault.LATE_FILL: (0, 5)}  # 5: it came before our look at the history
    assert canceled.reports[-1].cum_qty in ends[fault]
    (trade,) = [report for report in rig.reports if report.exec_type == ExecType.TRADE]
    assert (trade.cl_ord_id, trade.last_qty) == (order.cl_ord_id, 5)


@pytest.mark.parametrize("hop", ["received", "matched", "reported"])
def test_terminal_that_dies_with_an_order_keeps_it_and_shows_it(tmp_path: Any, hop: str) -> None:
    with EmulatorProcess("mt5", tmp_path / "truth.db") as process:
        rig, order = Rig(process), request()
        process.arm(Fault.CRASH, op=hop)

        async def story(venue: Mt5Venue) -> Any:
            outcome = await venue.submit(order)
            process.wait()
            process.start()
            return outcome, await venue.query(order)

        outcome, answer = rig.run(story)

        assert isinstance(outcome, Unknown)
        assert rig.taken() == {comment_of(order.cl_ord_id): 1}
        assert answer.reports[-1].exec_type == ExecType.TRADE


def test_order_of_another_magic_is_not_ours_whatever_its_comment(terminal: EmulatorProcess) -> None:
    rig, order = Rig(terminal), request()
    terms = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1, "magic": 1}
    terminal.control("by_hand", **terms, comment=comment_of(order.cl_ord_id))

    assert not rig.run(lambda venue: venue.query(order)).found


OTHER_TERMS: list[dict[str, Any]] = [
    {"side": -1},
    {"qty": 11},
    {"instrument_id": "GBPUSD"},
    {"transact_ns": time.time_ns() + 2 * 3_600 * NS_PER_S},  # sent long after the one that is there
]


@pytest.mark.parametrize("terms", OTHER_TERMS, ids=lambda terms: next(iter(terms)))
@pytest.mark.parametrize("resting", [False, True])
def test_order_of_other_terms_is_not_in_doubt_though_its_comment_is_gone(
    terminal: EmulatorProcess, terms: dict[str, Any], resting: bool
) -> None:
    rig = Rig(terminal, comment_max=0)
    order = request(**({"ord_type": OrdType.LIMIT, "px": 109_000} if resting else {}))

    async def story(venue: Mt5Venue) -> Any:
        await venue.submit(order)
        return await venue.query(request(**terms))

    assert not rig.run(story).found


def test_order_that_filled_in_part_is_found_with_its_end_by_an_adapter_that_knows_nothing(
    terminal: EmulatorProcess,
) -> None:
    rig, order = Rig(terminal, comment_max=16), request()
    terminal.price("EURUSD", bid="1.1", ask="1.1001", qty="0.04")
    rig.run(lambda venue: venue.submit(order))

    answer = rig.run(lambda venue: venue.query(order))

    assert [ExecType(report.exec_type).name for report in answer.reports] == ["NEW", "TRADE", "CANCELED"]
    assert answer.reports[-1].cum_qty == 4
