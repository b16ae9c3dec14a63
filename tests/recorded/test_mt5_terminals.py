"""What real terminals have printed: the adapter reads every line of it, and the emulator shows the same fields."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.recorded.recordings import recorded

from surefill.domain.reports import ExecType
from surefill.testing.emulators.groundwork.store import Store
from surefill.testing.emulators.mt5.books import Ledger
from surefill.testing.emulators.mt5.results import (
    SYMBOLS,
    AccountInfo,
    OrderSendResult,
    SymbolInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)
from surefill.venues.mt5.codes import CODES, Verdict, verdict_of
from surefill.venues.mt5.reading import Reader, is_trade
from surefill.venues.mt5.records import (
    AccountRecord,
    DealRecord,
    OrderRecord,
    PositionRecord,
    SendRecord,
    SymbolRecord,
    read,
)
from surefill.venues.mt5.server_clock import ServerClock
from surefill.venues.mt5.symbols import Scale, instrument_of

DIGITS = {"XAUUSD": 2, "USDJPY": 3, "GBPJPY": 3, "BTCUSD": 2}


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recorded("mt5/mt5_recorded.json").read_text())
    return found


def scale(name: str) -> Scale:
    digits = DIGITS.get(name, 5)
    return Scale(
        read(SymbolRecord, SYMBOLS[0]._replace(name=name, digits=digits, trade_tick_size=10**-digits)._asdict())
    )


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("symbol_info", SymbolInfo),
        ("account_info", AccountInfo),
        ("positions", TradePosition),
        ("history_deals", TradeDeal),
        ("history_deals_with_commission", TradeDeal),
        ("orders", TradeOrder),
    ],
)
def test_emulator_shows_the_fields_that_terminals_show(part: str, kind: Any) -> None:
    rows = told()[part]

    assert rows
    assert {field for row in rows for field in row} <= set(kind._fields)
    full = max(rows, key=len)
    types = {field: type(value) for field, value in full.items()}
    shown = kind(**full)._asdict()
    assert {field: type(shown[field]) for field in types} == types


def test_every_symbol_becomes_an_instrument() -> None:
    made = [instrument_of(read(SymbolRecord, row), 8, "forex") for row in told()["symbol_info"]]

    assert [each and (each.instrument_id, each.price_decimals, each.qty_decimals) for each in made] == [
        ("EURJPY", 3, 2),
        ("USDMXN", 5, 2),
        ("EURUSD", 5, 2),
    ]


def test_every_account_is_read() -> None:
    assert [read(AccountRecord, row).margin_mode for row in told()["account_info"]] == [2, 2]


def test_every_result_has_the_meaning_that_was_noted() -> None:
    verdicts = {
        "market buy filled": Verdict.DONE,
        "close by position filled": Verdict.DONE,
        "pending buy limit accepted": Verdict.DONE,
        "SL modify ok": Verdict.DONE,
        "requote on close": Verdict.REFUSED,
        "requote on buy": Verdict.REFUSED,
        "autotrading disabled": Verdict.REFUSED,
        "invalid request": Verdict.REFUSED,
        "order_check ok (NOT an execution)": Verdict.UNKNOWN,
    }
    rows = told()["order_results"]

    assert {row["what"]: verdict_of(read(SendRecord, row["result"]).retcode) for row in rows} == verdicts
    for row in rows:
        assert set(row["result"]["request"]) == set(TradeRequest._fields)
        if row["result"]["retcode"] in CODES:
            assert set(row["result"]) == set(OrderSendResult._fields)


def test_every_deal_is_an_execution_or_money_that_came() -> None:
    recording = told()
    deals = [read(DealRecord, row) for row in recording["history_deals"] + recording["history_deals_with_commission"]]
    reader = Reader(ServerClock(7_200), 8, "USD")

    reports = [reader.trade(deal, scale(deal.symbol), "id") for deal in deals if is_trade(deal)]

    assert (len(deals), len(reports)) == (14, 13)
    assert [report.fee_amount for report in reports[-3:]] == ["0.04"] * 3
    assert reports[-1].fee == 4_000_000
    last = deals[-1]
    assert reports[-1].transact_ns == (last.time_msc - 7_200_000) * 1_000_000
    assert len({report.exec_id for report in reports}) == 13


def test_every_order_has_its_state() -> None:
    reader = Reader(ServerClock(0), 8, "USD")
    canceled, working = (read(OrderRecord, row) for row in told()["orders"])

    report = reader.status(canceled, scale(canceled.symbol), "id", working=False)
    assert (report.exec_type, report.cum_qty) == (ExecType.CANCELED, 0)
    report = reader.status(working, scale(working.symbol), "id", working=True)
    assert (report.exec_type, report.cum_qty, report.code) == (ExecType.STATUS, 0, "PLACED")


def test_every_position_is_read_with_its_noise() -> None:
    held = [read(PositionRecord, row) for row in told()["positions"]]

    assert [scale(each.symbol).px(each.price_open) for each in held] == [99_145, 169_213, 110_124, 242_007, 142_506]


def test_emulator_computes_the_profits_that_terminals_showed() -> None:
    store = Store()
    ledger = Ledger(store, lambda: 0)
    for info in SYMBOLS:
        ledger.put_symbol(info)

    for row in told()["profit_checks"]:
        side = 1 if row["side"] == "buy" else -1
        volume, opened, closed = (Decimal(str(row[name])) for name in ("volume", "open", "close"))
        assert float(ledger.profit(row["symbol"], side, volume, opened, closed)) == row["profit"], row
    store.close()
