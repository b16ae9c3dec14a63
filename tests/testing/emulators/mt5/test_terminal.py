"""The emulated terminal: it checks what the documentation says is checked, and keeps its books."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from surefill.testing.emulators import EmulatorProcess, Fault, WireFault
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5

NETTING, HEDGING = 0, 2
BUY = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "price": 1.1001, "type_filling": 1, "magic": 7}
LIMIT = {"action": 5, "symbol": "EURUSD", "volume": 0.1, "type": 2, "price": 1.09, "type_filling": 2, "type_time": 0}
XAU = {"action": 5, "symbol": "XAUUSD", "volume": 0.1, "type": 2, "type_filling": 2, "type_time": 0}
GBP = {"action": 1, "symbol": "GBPUSD", "volume": 0.1, "type": 0, "type_filling": 0}


@pytest.fixture(scope="module")
def process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess("mt5", ":memory:") as made:
        yield made


def opened(process: EmulatorProcess, mode: int = NETTING, **seed: object) -> EmulatedMetaTrader5:
    process.reset()
    process.seed(account={"margin_mode": mode}, **seed)
    process.price("EURUSD", bid="1.1", ask="1.1001")
    process.price("GBPUSD", bid="1.25", ask="1.2502")
    process.price("XAUUSD", bid="2000", ask="2000.1")
    package = EmulatedMetaTrader5(process.port, timeout_s=5)
    assert package.initialize()
    return package


@pytest.mark.parametrize(
    ("request_", "retcode"),
    [
        (BUY, 10009),
        (LIMIT, 10009),
        ({**BUY, "symbol": "NONE"}, 10013),
        ({**BUY, "action": 99}, 10013),
        ({**BUY, "volume": 0.005}, 10014),
        ({**BUY, "volume": 0.015}, 10014),
        ({**BUY, "volume": 1_000.0}, 10014),
        ({**BUY, "volume": 500.0}, 10019),
        ({**BUY, "type_filling": 2}, 10030),
        ({**BUY, "sl": 1.2}, 10016),
        ({**BUY, "tp": 1.0}, 10016),
        ({**BUY, "position": 5}, 10036),
        ({**BUY, "type": 2}, 10035),
        ({**BUY, "symbol": "USDJPY"}, 10021),
        ({**LIMIT, "price": 1.2}, 10015),
        ({**LIMIT, "price": 1.090001}, 10015),
        ({**LIMIT, "type": 4, "price": 1.09}, 10015),
        ({**LIMIT, "type_time": 9}, 10022),
        ({**XAU, "price": 2000.05}, 10015),
        ({**XAU, "price": 1999.9}, 10009),
        ({**GBP, "price": 1.2502, "deviation": 0}, 10009),
        ({**GBP, "price": 1.2500, "deviation": 19}, 10004),
        ({**GBP, "price": 1.2500, "deviation": 20}, 10009),
        ({**GBP, "deviation": 20}, 10013),
        ({"action": 8, "order": 1}, 10013),
    ],
)
def test_request_is_answered_with_its_code(process: EmulatorProcess, request_: dict[str, Any], retcode: int) -> None:
    package = opened(process)

    result = package.order_send(request_)

    assert (result.retcode, package.last_error()) == (retcode, (1, "Success"))
    assert len(process.truth().orders) == int(retcode == 10009)


@pytest.mark.parametrize(
    ("seed", "retcode"),
    [({"trade_allowed": False}, 10027), ({"connected": False}, 10031), ({"closed": ["EURUSD"]}, 10018)],
)
def test_terminal_that_may_not_trade_says_why(process: EmulatorProcess, seed: dict[str, Any], retcode: int) -> None:
    result = opened(process, **seed).order_send(BUY)

    assert result.retcode == retcode
    assert (result.request_id == 0) is (retcode == 10027)


def test_argument_that_no_request_has_is_refused_by_the_package(process: EmulatorProcess) -> None:
    package = opened(process)

    assert package.order_send({**BUY, "volumes": 1}) is None
    assert package.last_error() == (-2, 'Invalid "volumes" argument')


def test_pending_order_is_accepted_without_a_deal_and_comes_back_with_its_fields(process: EmulatorProcess) -> None:
    package = opened(process, comment_max=16)

    result = package.order_send({**LIMIT, "magic": 7, "comment": "python script open"})
    (order,) = package.orders_get()

    assert (result.retcode, result.deal, result.price) == (10009, 0, 0.0)
    assert (order.ticket, order.state, order.comment, order.magic) == (result.order, 1, "python script op", 7)
    assert package.history_orders_get(0, 2e9) == ()
    assert package.order_send({"action": 8, "order": result.order}).retcode == 10009
    assert package.orders_get() == ()
    assert [each.state for each in package.history_orders_get(ticket=result.order)] == [2]


def test_netting_account_has_one_position_that_can_turn(process: EmulatorProcess) -> None:
    package = opened(process, NETTING)
    first = package.order_send(BUY)
    package.order_send({**BUY, "type": 1, "volume": 0.3})

    (held,) = package.positions_get(symbol="EURUSD")
    assert (held.ticket, held.type, held.volume, held.price_open) == (first.order, 1, 0.2, 1.1)
    assert [deal.entry for deal in package.history_deals_get(0, 2e9) if deal.symbol] == [0, 2]


def test_hedging_account_closes_by_ticket_and_by_each_other(process: EmulatorProcess) -> None:
    package = opened(process, HEDGING)
    tickets = [package.order_send({**BUY, "type": kind}).order for kind in (0, 0, 1)]

    assert len(package.positions_get()) == 3
    too_much = {**BUY, "type": 1, "volume": 0.2, "position": tickets[0]}
    assert package.order_send(too_much).retcode == 10038
    assert package.order_send({**too_much, "volume": 0.1}).retcode == 10009
    assert package.order_send({"action": 10, "position": tickets[1], "position_by": tickets[2]}).retcode == 10009
    assert package.positions_get() == ()


def test_stop_loss_of_a_position_closes_it(process: EmulatorProcess) -> None:
    package = opened(process, HEDGING)
    ticket = package.order_send(BUY).order

    assert package.order_send({"action": 6, "position": ticket, "sl": 1.095}).retcode == 10009
    assert package.order_send({"action": 6, "position": ticket, "sl": 1.095}).retcode == 10025
    process.price("EURUSD", bid="1.0949", ask="1.095")

    closing = package.history_deals_get(position=ticket)[-1]
    assert (closing.entry, closing.reason, closing.comment, closing.profit) == (1, 4, "[sl 1.095]", -52.0)


def test_money_is_the_sum_of_all_deals(process: EmulatorProcess) -> None:
    package = opened(process, HEDGING, commission_per_lot="7", deposit="500")
    ticket = package.order_send(BUY).order
    process.control("rollover", per_lot="-3")
    process.price("EURUSD", bid="1.1021", ask="1.1022")
    package.order_send({**BUY, "type": 1, "position": ticket})

    deals = package.history_deals_get(0, 2e9)
    assert [(deal.type, deal.profit, deal.commission, deal.swap) for deal in deals] == [
        (2, 100_000.0, 0.0, 0.0),
        (2, 500.0, 0.0, 0.0),
        (0, 0.0, -0.7, 0.0),
        (1, 20.0, -0.7, -0.3),
    ]
    assert package.account_info().balance == 100_518.3


def test_server_time_is_off_by_what_was_set(process: EmulatorProcess) -> None:
    tick = opened(process, offset_s=7_200).symbol_info_tick("EURUSD")
    utc = opened(process).symbol_info_tick("EURUSD")

    assert 7_100 < tick.time - utc.time <= 7_200


def test_channel_that_breaks_gives_none_and_says_why(process: EmulatorProcess) -> None:
    package = opened(process)
    process.arm(Fault.DISCONNECT_AFTER, op="submit")

    assert package.order_send(BUY) is None
    assert package.last_error() == (-10_002, "IPC recv failed")
    assert len(process.truth().executions) == 1
    package.shutdown()
    assert package.account_info() is None
    assert package.last_error() == (-10_004, "No IPC connection")


def test_order_check_promises_with_zero(process: EmulatorProcess) -> None:
    package = opened(process)

    assert package.order_check(BUY).retcode == 0
    assert package.order_check({**BUY, "volume": 500.0}).retcode == 10019
    assert package.order_calc_margin(0, "EURUSD", 1.0, 1.1) == 1_100.0


def test_groups_choose_symbols(process: EmulatorProcess) -> None:
    package = opened(process)

    assert [each.name for each in package.symbols_get(group="*USD, !XAU*")] == ["EURUSD", "GBPUSD"]
    assert package.symbols_total() == 5
    assert package.symbol_info("NONE") is None


def test_truth_outlives_the_process(tmp_path: Path) -> None:
    with EmulatorProcess("mt5", tmp_path / "truth.db") as process:
        ticket = opened(process).order_send(BUY).order
        process.kill()
        process.start()
        package = EmulatedMetaTrader5(process.port)
        package.initialize()

        assert [each.ticket for each in package.positions_get()] == [ticket]
        assert package.account_info().balance == 100_000.0


STOPS: list[tuple[int, int, int, tuple[str, str, str], bool]] = [
    # type, chart mode, way of calculating; then bid, ask, last; whether it is triggered
    (4, 0, 0, ("1.1095", "1.1100", "1.1090"), True),  # a stop to buy at 1.11 looks at the ask
    (4, 0, 0, ("1.1095", "1.1099", "1.1200"), False),
    (5, 0, 0, ("1.0900", "1.0905", "1.1000"), True),  # a stop to sell at 1.09 looks at the bid
    (5, 0, 0, ("1.0901", "1.0905", "1.0800"), False),
    (4, 1, 33, ("1.1095", "1.1099", "1.1100"), True),  # an exchange that charts its last price
    (4, 1, 33, ("1.1095", "1.1105", "1.1099"), False),
    (5, 1, 33, ("1.0950", "1.0955", "1.0900"), True),
    (4, 0, 33, ("1.1095", "1.1100", "1.1090"), True),  # an exchange that charts its bid
    (4, 1, 0, ("1.1095", "1.1100", "1.1090"), True),  # no exchange, whatever it charts
]


@pytest.mark.parametrize(("kind", "chart", "calc", "quote", "triggered"), STOPS)
def test_stop_looks_at_the_price_that_the_documentation_says(
    process: EmulatorProcess, kind: int, chart: int, calc: int, quote: tuple[str, str, str], triggered: bool
) -> None:
    package = opened(process, symbols=[{"name": "EURUSD", "chart_mode": chart, "trade_calc_mode": calc}])
    process.price("EURUSD", bid="1.1", ask="1.1001", last="1.1")
    assert package.order_send({**LIMIT, "type": kind, "price": {4: 1.11, 5: 1.09}[kind]}).retcode == 10009

    bid, ask, last = quote
    process.price("EURUSD", bid=bid, ask=ask, last=last)

    assert len(process.truth().executions) == triggered
    assert len(package.positions_get()) == triggered


@pytest.mark.parametrize(("chart", "calc", "closed"), [(0, 0, True), (1, 33, False)])
def test_stop_loss_looks_at_the_same_price_as_a_stop(
    process: EmulatorProcess, chart: int, calc: int, closed: bool
) -> None:
    package = opened(process, symbols=[{"name": "EURUSD", "chart_mode": chart, "trade_calc_mode": calc}])
    process.price("EURUSD", bid="1.1", ask="1.1001", last="1.1")
    ticket = package.order_send(BUY).order
    assert package.order_send({"action": 6, "position": ticket, "sl": 1.095}).retcode == 10009

    process.price("EURUSD", bid="1.0949", ask="1.0951", last="1.0960")

    assert (package.positions_get() == ()) is closed


def test_credit_is_a_purse_of_its_own(process: EmulatorProcess) -> None:
    package = opened(process)
    process.control("money", kind=3, amount="250")
    process.control("money", kind=4, amount="-1.5", comment="data feed")

    account = package.account_info()
    assert (account.balance, account.credit, account.equity) == (99_998.5, 250.0, 100_248.5)
    assert [(deal.type, deal.profit, deal.comment) for deal in package.history_deals_get(0, 2e9)][1:] == [
        (3, 250.0, ""),
        (4, -1.5, "data feed"),
    ]


def test_nights_bring_the_swap_of_the_symbol_and_side(process: EmulatorProcess) -> None:
    package = opened(process, HEDGING, symbols=[{"name": "EURUSD", "swap_long": -7.0, "swap_short": 2.0}])
    for kind in (0, 1):
        package.order_send({**BUY, "type": kind, "volume": 1.0})

    process.control("rollover", nights=3)

    assert [held.swap for held in package.positions_get()] == [-21.0, 6.0]
    assert package.account_info().balance == 100_000.0  # no money before they are closed


def test_slow_terminal_places_a_market_order_that_works_until_a_price_comes(process: EmulatorProcess) -> None:
    package = opened(process, slow=True)

    placed = package.order_send(BUY)

    assert (placed.retcode, placed.deal) == (10008, 0)
    assert [(each.type, each.state) for each in package.orders_get()] == [(0, 1)]
    process.price("EURUSD", bid="1.1", ask="1.1002")
    assert [each.state for each in package.history_orders_get(ticket=placed.order)] == [4]
    assert [each.price for each in package.history_deals_get(ticket=placed.order)] == [1.1002]


def test_stamps_stay_what_they_were_when_the_servers_clock_changes(process: EmulatorProcess) -> None:
    package = opened(process, offset_s=7_200)
    ticket = package.order_send(BUY).order
    before = package.history_orders_get(ticket=ticket), package.history_deals_get(ticket=ticket)

    process.seed(offset_s=10_800)

    assert (package.history_orders_get(ticket=ticket), package.history_deals_get(ticket=ticket)) == before


def test_session_that_ends_at_an_order_is_told_and_nothing_is_done(process: EmulatorProcess) -> None:
    package = opened(process)
    process.arm(WireFault.EXPIRE_TOKEN, op="submit")
    assert package.orders_get() == ()
    assert package.order_send(BUY) is None
    assert package.last_error()[0] == package.RES_E_AUTH_FAILED
    truth = process.truth()
    assert (truth.orders, truth.fired) == ([], {"EXPIRE_TOKEN": 1})
