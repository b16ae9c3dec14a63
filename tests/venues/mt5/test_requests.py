"""What is sent to the terminal, field by field, as its results repeat it; and what is not sent at all."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.venues.mt5.rig import HEDGING, NETTING, Rig, request

from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.emulators import EmulatorProcess, Fault
from surefill.venues.mt5 import Mt5Venue
from surefill.venues.mt5.comments import comment_of
from surefill.venues.protocol import Accepted, Outcome, Rejected

DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
SENT_FOK, SENT_IOC, SENT_RETURN = 0, 1, 2
INSTANT, MARKET_EXECUTION, EXCHANGE = 1, 2, 3
LIMIT: dict[str, Any] = {"ord_type": OrdType.LIMIT, "px": 109_000}


def sent(outcome: Outcome) -> dict[str, Any]:
    """The request that the terminal repeats with its result."""
    assert isinstance(outcome, Accepted), outcome
    found: dict[str, Any] = msgspec.json.decode(outcome.reports[0].raw)["result"]["request"]
    return found


@pytest.mark.parametrize(
    ("flags", "execution", "time_in_force", "filling"),
    [
        (3, MARKET_EXECUTION, DAY, SENT_IOC),
        (3, MARKET_EXECUTION, IOC, SENT_IOC),
        (3, MARKET_EXECUTION, FOK, SENT_FOK),
        (1, MARKET_EXECUTION, DAY, SENT_FOK),
        (1, MARKET_EXECUTION, IOC, SENT_FOK),
        (2, MARKET_EXECUTION, FOK, None),
        (0, MARKET_EXECUTION, GTC, None),
        (0, EXCHANGE, GTC, SENT_RETURN),
        (0, EXCHANGE, IOC, None),
        (0, EXCHANGE, FOK, None),
        (0, INSTANT, DAY, SENT_RETURN),
    ],
)
def test_market_order_is_filled_as_the_symbols_flags_let_it(
    terminal: EmulatorProcess, flags: int, execution: int, time_in_force: int, filling: int | None
) -> None:
    rig = Rig(terminal, symbols=[{"name": "EURUSD", "filling_mode": flags, "trade_exemode": execution}])

    outcome = rig.run(lambda venue: venue.submit(request(time_in_force=time_in_force)))

    if filling is None:
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.undelivered) == ("FILLING_UNSUPPORTED", False)
        assert not rig.taken()
    else:
        assert sent(outcome)["type_filling"] == filling


@pytest.mark.parametrize(("side", "price"), [(1, 1.2502), (-1, 1.25)])
def test_market_order_has_the_price_of_its_side_and_a_deviation(
    terminal: EmulatorProcess, way: str, side: int, price: float
) -> None:
    rig, order = Rig(terminal, way), request(side, instrument_id="GBPUSD")

    told = sent(rig.run(lambda venue: venue.submit(order), deviation_points=7))

    assert (told["action"], told["price"], told["deviation"]) == (1, price, 7)
    assert (told["magic"], told["comment"], told["volume"]) == (750_001, comment_of(order.cl_ord_id), 0.1)


def test_pending_order_rests_and_has_a_deviation_too(terminal: EmulatorProcess) -> None:
    rig = Rig(terminal)

    told = sent(rig.run(lambda venue: venue.submit(request(**LIMIT, time_in_force=DAY))))

    assert (told["action"], told["type_filling"], told["type_time"], told["deviation"]) == (5, SENT_RETURN, 1, 20)


@pytest.mark.parametrize(("mode", "closes"), [(NETTING, False), (HEDGING, True)])
def test_order_that_reduces_names_a_ticket_on_a_hedging_account_only(
    terminal: EmulatorProcess, way: str, mode: int, closes: bool
) -> None:
    rig = Rig(terminal, way, mode=mode)

    async def story(venue: Mt5Venue) -> Any:
        opened = await venue.submit(request())
        return opened, await venue.submit(request(-1, reduce_only=True))

    opened, closed = rig.run(story)

    assert sent(closed)["position"] == (int(opened.reports[0].order_id) if closes else 0)
    assert not [each for each in terminal.truth().positions if float(each["qty"])]


@pytest.mark.parametrize("ask", ["submit", "cancel", "amend"])
def test_symbol_that_the_terminal_does_not_know_is_rejected_with_proof(
    terminal: EmulatorProcess, way: str, ask: str
) -> None:
    rig, order = Rig(terminal, way), request(instrument_id="NOSUCH", **LIMIT)

    async def story(venue: Mt5Venue) -> Any:
        return await (venue.submit(order) if ask == "submit" else getattr(venue, ask)(order, "5"))

    outcome = rig.run(story)

    assert isinstance(outcome, Rejected), outcome
    assert (outcome.code, outcome.undelivered) == ("UNKNOWN_SYMBOL", False)
    assert "NOSUCH" in outcome.text
    assert not rig.taken()


def test_symbol_that_the_terminal_does_not_know_cannot_be_asked_about(terminal: EmulatorProcess) -> None:
    rig = Rig(terminal)

    with pytest.raises(VenueOutcomeUnknown, match="NOSUCH"):
        rig.run(lambda venue: venue.query(request(instrument_id="NOSUCH")))


@pytest.mark.parametrize(
    ("ord_type", "taken"),
    [
        (OrdType.MARKET, {DAY, GTC, IOC, FOK}),
        (OrdType.LIMIT, {DAY, GTC}),
        (OrdType.STOP, {DAY, GTC}),
        (OrdType.STOP_LIMIT, {DAY, GTC}),
    ],
)
def test_time_in_force_is_claimed_for_the_types_that_have_it(
    terminal: EmulatorProcess, ord_type: OrdType, taken: set[TimeInForce]
) -> None:
    told = Rig(terminal).venue().capabilities

    assert {each for each in TimeInForce if told.takes(ord_type, each)} == taken


@pytest.mark.parametrize(("mode", "native_stops"), [(NETTING, True), (HEDGING, False)])
def test_stops_are_claimed_once_the_account_is_known_to_keep_them(
    terminal: EmulatorProcess, mode: int, native_stops: bool
) -> None:
    rig = Rig(terminal, mode=mode)

    async def story() -> tuple[bool, bool]:
        venue = rig.venue()
        before = venue.capabilities.native_stops
        await venue.access()  # asked before the engine opens the workspace
        await venue.close()
        return before, venue.capabilities.native_stops

    assert asyncio.run(story()) == (False, native_stops)


def test_margin_of_an_instrument_is_the_terminals(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)
    terminal.price("USDJPY", bid="150.000", ask="150.010")

    async def story(venue: Mt5Venue) -> Any:
        return await venue.instruments()

    made = {each.instrument_id: each.margin_ppb for each in rig.run(story, symbols=("EURUSD", "XAUUSD", "USDJPY"))}

    assert made == {"EURUSD": 10_000_000, "XAUUSD": 0, "USDJPY": 0}  # no price; and a profit in yen


def test_symbol_whose_money_does_not_come_out_whole_hides_no_other(terminal: EmulatorProcess) -> None:
    rig = Rig(terminal, symbols=[{"name": "GBPUSD", "trade_contract_size": 1.0}])  # 10^-7 of a dollar is its quantum

    async def story(venue: Mt5Venue) -> Any:
        return await venue.instruments()

    assert "GBPUSD" not in [each.instrument_id for each in rig.run(story, symbols=(), money_decimals=2)]
    with pytest.raises(ConfigError, match="GBPUSD"):
        rig.run(story, money_decimals=2)


def test_margin_that_the_terminal_does_not_tell_is_not_known(terminal: EmulatorProcess) -> None:
    rig = Rig(terminal)

    async def story(venue: Mt5Venue) -> Any:
        terminal.arm(Fault.QUERY_ERROR, 10, op="order_calc_margin")
        return await venue.instruments()

    made = rig.run(story)
    terminal.heal()

    assert [(each.instrument_id, each.margin_ppb) for each in made] == [("EURUSD", 0), ("GBPUSD", 0)]


def test_venue_that_is_closed_twice_is_closed_and_sends_nothing_more(terminal: EmulatorProcess, way: str) -> None:
    rig = Rig(terminal, way)

    async def story() -> Outcome:
        venue = rig.venue()
        await venue.connect(rig.reports.append)
        await venue.subscribe(("EURUSD",), lambda _quote: None)
        await venue.close()
        await venue.close()
        return await venue.submit(request())

    outcome = asyncio.run(story())

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == ("NOT_SENT", True)
    assert not rig.taken()
