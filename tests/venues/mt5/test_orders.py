"""Orders that go well, and orders that are refused: what the adapter says, and what the terminal's truth says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.venues.mt5.rig import HEDGING, NETTING, Rig, request

from surefill.domain.reports import ExecType
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.emulators import EmulatorProcess
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.mt5.comments import comment_of
from surefill.venues.protocol import Accepted, Outcome, Rejected, Unknown

LIMIT: dict[str, Any] = {"ord_type": OrdType.LIMIT, "px": 109_000}


def kinds(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Accepted), outcome
    return [ExecType(report.exec_type).name for report in outcome.reports]


def test_market_order_fills_with_its_commission(terminal: EmulatorProcess, way: str) -> None:
    rig, order = Rig(terminal, way, commission_per_lot="7"), request()

    outcome = rig.run(lambda venue: venue.submit(order))

    assert kinds(outcome) == ["NEW", "TRADE"]
    trade = outcome.reports[1]
    assert (trade.last_px, trade.last_qty, trade.side) == (110_010, 10, 1)
    assert (trade.fee, trade.fee_amount, trade.fee_asset) == (70_000_000, "0.7", "USD")
    assert rig.taken() == {comment_of(order.cl_ord_id): 1}


def test_market_order_that_finds_too_little_ends_with_what_it_found(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.price("EURUSD", bid="1.1", ask="1.1001", qty="0.04")

    outcome = rig.run(lambda venue: venue.submit(request()))

    assert kinds(outcome) == ["NEW", "TRADE", "CANCELED"]
    assert [report.last_qty for report in outcome.reports[1:2]] == [4]
    assert outcome.reports[2].cum_qty == 4
    assert outcome.reports[0].code == "10010 DONE_PARTIAL"


@pytest.mark.parametrize(
    ("terms", "px", "stop_px", "type_at_terminal"),
    [
        ({"ord_type": OrdType.LIMIT, "px": 109_000}, 109_000, 0, "LIMIT"),
        ({"ord_type": OrdType.STOP, "stop_px": 111_000}, 0, 111_000, "STOP"),
        ({"ord_type": OrdType.STOP_LIMIT, "stop_px": 111_000, "px": 110_900}, 110_900, 111_000, "STOP_LIMIT"),
        ({"ord_type": OrdType.LIMIT, "px": 109_000, "time_in_force": TimeInForce.DAY}, 109_000, 0, "LIMIT"),
    ],
)
def test_pending_order_is_listed_with_its_terms(
    terminal: EmulatorProcess, way: str, terms: dict[str, Any], px: int, stop_px: int, type_at_terminal: str
) -> None:
    rig, order = Rig(terminal, way), request(**terms)

    async def story(venue: Mt5Venue) -> Any:
        outcome = await venue.submit(order)
        return outcome, await venue.open_orders()

    outcome, (listed,) = rig.run(story)

    assert kinds(outcome) == ["NEW", "STATUS"]
    assert (listed.cl_ord_id, listed.px, listed.stop_px, listed.order_qty) == (order.cl_ord_id, px, stop_px, 10)
    assert OrdType(listed.ord_type).name == type_at_terminal


def test_pending_order_can_be_amended_and_canceled(terminal: EmulatorProcess, way: str) -> None:
    rig, order = Rig(terminal, way), request(**LIMIT)

    async def story(venue: Mt5Venue) -> Any:
        accepted = await venue.submit(order)
        assert isinstance(accepted, Accepted)
        order_id = accepted.reports[0].order_id
        moved = await venue.amend(msgspec.structs.replace(order, px=109_500), order_id)
        (listed,) = await venue.open_orders()
        resized = await venue.amend(msgspec.structs.replace(order, order_qty=20), order_id)
        canceled = await venue.cancel(order, order_id)
        again = await venue.cancel(order, order_id)
        return moved, listed, resized, canceled, again

    moved, listed, resized, canceled, again = rig.run(story)

    assert kinds(moved) == ["STATUS"]
    assert listed.px == 109_500
    assert isinstance(resized, Rejected)
    assert resized.code == "VOLUME_FIXED"
    assert kinds(canceled) == ["CANCELED"]
    assert canceled.reports[0].cum_qty == 0
    assert isinstance(again, Rejected)


def test_resting_order_that_fills_later_is_streamed(terminal: EmulatorProcess, way: str) -> None:
    rig, order = Rig(terminal, way), request(**LIMIT)

    async def story(venue: Mt5Venue) -> None:
        await venue.submit(order)
        terminal.price("EURUSD", bid="1.0890", ask="1.0891")
        await rig.until(lambda: rig.reports)

    rig.run(story)

    (trade,) = [report for report in rig.reports if report.exec_type == ExecType.TRADE]
    assert (trade.cl_ord_id, trade.last_px, trade.last_qty) == (order.cl_ord_id, 109_000, 10)


def test_order_for_the_day_that_expires_is_streamed(terminal: EmulatorProcess, way: str) -> None:
    rig, order = Rig(terminal, way), request(**LIMIT, time_in_force=TimeInForce.DAY)

    async def story(venue: Mt5Venue) -> None:
        await venue.submit(order)
        terminal.control("close_day")
        await rig.until(lambda: rig.reports)

    rig.run(story)

    assert [(report.cl_ord_id, report.exec_type) for report in rig.reports] == [(order.cl_ord_id, ExecType.EXPIRED)]


def test_stop_limit_that_is_reached_tells_of_its_trigger(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    order = request(ord_type=OrdType.STOP_LIMIT, stop_px=111_000, px=110_900)

    async def story(venue: Mt5Venue) -> None:
        await venue.submit(order)
        terminal.price("EURUSD", bid="1.1105", ask="1.1106")
        await rig.until(lambda: rig.reports)

    rig.run(story)

    assert rig.reports[0].exec_type == ExecType.TRIGGERED


@pytest.mark.parametrize(
    ("seed", "terms", "code"),
    [
        ({"trade_allowed": False}, {}, "10027 CLIENT_DISABLES_AT"),
        ({"account": {"trade_expert": False, "margin_mode": 0}}, {}, "10026 SERVER_DISABLES_AT"),
        ({"closed": ["EURUSD"]}, {}, "10018 MARKET_CLOSED"),
        ({"deposit": "-99999"}, {"qty": 1_000}, "10019 NO_MONEY"),
        ({}, {"qty": 100_000}, "10014 INVALID_VOLUME"),
        ({}, {**LIMIT, "px": 120_000}, "10015 INVALID_PRICE"),
        ({"symbols": [{"name": "EURUSD", "trade_mode": 3}]}, {}, "10044 CLOSE_ONLY"),
        ({"symbols": [{"name": "EURUSD", "filling_mode": 0}]}, {}, "FILLING_UNSUPPORTED"),
        (
            {"symbols": [{"name": "EURUSD", "filling_mode": 2}]},
            {"time_in_force": TimeInForce.FOK},
            "FILLING_UNSUPPORTED",
        ),
        ({}, {**LIMIT, "time_in_force": TimeInForce.IOC}, "TIME_IN_FORCE_UNSUPPORTED"),
        (
            {"symbols": [{"name": "EURUSD", "expiration_mode": 1}]},
            {**LIMIT, "time_in_force": TimeInForce.DAY},
            "TIME_IN_FORCE_",
        ),
        ({}, {"send_by_ns": 1}, "NOT_SENT"),
    ],
)
def test_order_that_is_refused_is_rejected_with_its_code(
    terminal: EmulatorProcess, seed: dict[str, Any], terms: dict[str, Any], code: str
) -> None:
    rig = Rig(terminal, "", **{key: value for key, value in seed.items() if key != "account"})
    if "account" in seed:
        terminal.seed(account=seed["account"])

    outcome = rig.run(lambda venue: venue.submit(request(**terms)))

    assert isinstance(outcome, Rejected), outcome
    assert outcome.code.startswith(code)
    assert not rig.taken()


def test_hedging_account_closes_its_oldest_position_that_is_large_enough(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way, mode=HEDGING)

    async def story(venue: Mt5Venue) -> Any:
        for qty in (5, 10, 10):
            await venue.submit(request(qty=qty))
        before = await venue.positions()
        closed = await venue.submit(request(-1, 10, reduce_only=True))
        return before, closed, await venue.positions(), venue.capabilities.native_stops

    before, closed, after, native_stops = rig.run(story)

    assert (before, after, native_stops) == ({"EURUSD": 25}, {"EURUSD": 15}, False)
    assert kinds(closed) == ["NEW", "TRADE"]
    held = sorted(each["qty"] for each in terminal.truth().positions)
    assert held == ["0.05", "0.1"]  # closed by ticket: nothing stands on the other side


def test_hedging_account_shows_positions_of_others_by_ticket(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way, mode=HEDGING)
    by_hand = {"action": 1, "symbol": "EURUSD", "volume": 0.2, "type": 1, "type_filling": 1, "magic": 0}
    ticket = terminal.control("by_hand", **by_hand)["order"]

    async def story(venue: Mt5Venue) -> Any:
        await venue.submit(request())
        held = await venue.positions()
        await venue.submit(request(1, 20, bucket=str(ticket), reduce_only=True))
        return held, await venue.positions()

    held, after = rig.run(story)

    assert held == {"EURUSD": 10, f"EURUSD|{ticket}": -20}
    assert after == {"EURUSD": 10}


@pytest.mark.parametrize(("mode", "outcome"), [(NETTING, Accepted), (HEDGING, Rejected)])
def test_stop_that_is_to_reduce_rests_only_where_it_can_close(
    terminal: EmulatorProcess, mode: int, outcome: type
) -> None:
    rig = Rig(terminal, "", mode=mode)
    stop = request(-1, ord_type=OrdType.STOP, stop_px=109_000, reduce_only=True)

    async def story(venue: Mt5Venue) -> Any:
        await venue.submit(request())
        return await venue.submit(stop)

    assert isinstance(rig.run(story), outcome)


def test_requote_is_a_rejection_and_never_sent_again(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.control("retcode", retcode=10004)

    outcome = rig.run(lambda venue: venue.submit(request()))

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == ("10004 REQUOTE", False)
    assert not rig.taken()


def test_placed_order_is_accepted_and_its_deal_found(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.control("retcode", retcode=10008, done=True)

    outcome = rig.run(lambda venue: venue.submit(request()))

    assert kinds(outcome) == ["NEW", "TRADE"]
    assert outcome.reports[0].code == "10008 PLACED"


@pytest.mark.parametrize("retcode", [10007, 10011, 10012, 10023, 10028, 10031, 10041])
@pytest.mark.parametrize("done", [True, False])
def test_code_that_proves_nothing_is_unknown_and_the_truth_is_found(
    terminal: EmulatorProcess, retcode: int, done: bool
) -> None:
    rig, order = Rig(terminal), request()
    terminal.control("retcode", retcode=retcode, done=done)

    async def story(venue: Mt5Venue) -> Any:
        return await venue.submit(order), await venue.query(order)

    outcome, answer = rig.run(story)

    assert isinstance(outcome, Unknown)
    assert answer.found is done
    assert sum(rig.taken().values()) == int(done)
