"""Requests become orders, orders become deals.

1. Nothing is deduplicated. A market order is an order that ends at once.
2. A pending order accepted is answered 10009 with deal 0; in Market and Exchange execution a market order may be
   answered 10008 (control `retcode`), and its deal is found in the history. With `slow` it works until a price comes.
3. A comment is cut to `comment_max` characters (31) wherever it is shown; the truth keeps it whole.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.groundwork.matching import Matcher
from surefill.testing.emulators.groundwork.records import ZERO, Order, OrdType, Quote, Status, Tif
from surefill.testing.emulators.mt5.books import ORDER_BASE, Ledger, quoted, ticket_of
from surefill.testing.emulators.mt5.constants import Constants as Mt5
from surefill.testing.emulators.mt5.dealing import (
    TEXTS,
    decimal,
    objection,
    permission,
    points,
    side_of,
    stops,
    trigger_px,
)
from surefill.testing.emulators.mt5.lists import Lists
from surefill.testing.emulators.mt5.results import OrderSendResult, SymbolInfo, TradeRequest
from surefill.testing.remote_venue.faults import Fault

Row = dict[str, Any]
COMMENT_MAX = 31
_ORD_TYPES = (OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT)
_TIFS = {Mt5.ORDER_FILLING_FOK: Tif.FOK, Mt5.ORDER_FILLING_IOC: Tif.IOC}


class Orders:
    """Everything that `order_send` does. `lists`: what can be seen of it."""

    def __init__(self, desk: Desk, ledger: Ledger, matcher: Matcher) -> None:
        self._desk, self._ledger, self.matcher = desk, ledger, matcher
        self.lists = Lists(ledger)

    # -- requests ---------------------------------------------------------------------------------------------

    def answered(self, request: Row) -> Row:
        """The result of `order_send`, after the code that a test has planned for it."""
        planned = self._ledger.setting("retcodes", [])
        if not planned:
            return self.send(request)
        (retcode, done), *rest = planned
        self._ledger.set("retcodes", rest)
        said = self.send(request) if done else {}
        deal = {} if retcode == Mt5.TRADE_RETCODE_PLACED or not done else {"deal": said["deal"]}
        kept = {"order": said["order"], **deal} if retcode in (Mt5.TRADE_RETCODE_PLACED, Mt5.TRADE_RETCODE_DONE) else {}
        return self._result(request, retcode, **kept)

    def send(self, request: Row) -> Row:
        """Do what is asked, or say why not."""
        code = permission(self._ledger)
        if code:
            return self._result(request, code)
        match int(request.get("action", 0)):
            case Mt5.TRADE_ACTION_DEAL | Mt5.TRADE_ACTION_PENDING:
                return self._submit(request)
            case Mt5.TRADE_ACTION_REMOVE:
                return self._remove(request)
            case Mt5.TRADE_ACTION_MODIFY:
                return self._modify(request)
            case Mt5.TRADE_ACTION_SLTP:
                return self._protect(request)
            case Mt5.TRADE_ACTION_CLOSE_BY:
                return self._close_by(request)
            case _:
                return self._result(request, Mt5.TRADE_RETCODE_INVALID)

    def check(self, request: Row) -> Row:
        """The result of `order_check`: 0 where the request would be taken as things stand."""
        code = objection(self._ledger, request, len(self.lists.working()))
        account = self._ledger.account()
        margin = self._ledger.margin(str(request.get("symbol")), decimal(request, "volume"), None)
        return {
            "retcode": code,
            "balance": account.balance,
            "equity": account.equity,
            "profit": account.profit,
            "margin": float(margin),
            "margin_free": account.margin_free - float(margin),
            "margin_level": account.margin_level,
            "comment": TEXTS.get(code, "Done"),
            "request": _repeated(request),
        }

    def _submit(self, request: Row) -> Row:
        code = objection(self._ledger, request, len(self.lists.working()))
        if code:
            return self._result(request, code)
        refused = "refused by the dealer" if self._desk.faults.strike(Fault.REFUSED, "submit") else ""
        order = self.matcher.receive(self._order(request), refused=refused)
        if refused:
            return self._result(request, Mt5.TRADE_RETCODE_REJECT)
        before = len(self._ledger.deals())
        if request["action"] == Mt5.TRADE_ACTION_DEAL and self._ledger.setting("slow", False):
            self._desk.hop("reported")
            return self._result(request, Mt5.TRADE_RETCODE_PLACED, order=ticket_of(order), volume=float(order.qty))
        if request["action"] == Mt5.TRADE_ACTION_PENDING:
            self._desk.hop("reported")
            return self._result(request, Mt5.TRADE_RETCODE_DONE, order=ticket_of(order), volume=float(order.qty))
        order = self.matcher.match(order)
        self._desk.hop("reported")
        if not order.cum_qty:
            return self._result(request, Mt5.TRADE_RETCODE_REJECT, order=ticket_of(order))
        deals = self._ledger.deals()[before:]
        partial = order.cum_qty < order.qty
        return self._result(
            request,
            Mt5.TRADE_RETCODE_DONE_PARTIAL if partial else Mt5.TRADE_RETCODE_DONE,
            deal=deals[-1]["ticket"],
            order=ticket_of(order),
            volume=float(order.cum_qty),
            price=float(order.avg_px),
        )

    def _order(self, request: Row) -> Order:
        kind = int(request.get("type", 0))
        ord_type, px = _ORD_TYPES[kind // 2], decimal(request, "price")
        triggered = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
        limit = {OrdType.LIMIT: px, OrdType.STOP_LIMIT: decimal(request, "stoplimit")}.get(ord_type, ZERO)
        market = ord_type == OrdType.MARKET
        comment, filling = str(request.get("comment", "")), int(request.get("type_filling", 0))
        terms = {
            "type": kind,
            "magic": int(request.get("magic", 0)),
            "comment": comment[: int(self._ledger.setting("comment_max", COMMENT_MAX))],
            "filling": filling,
            "time": int(request.get("type_time", 0)),
            "sl": float(request.get("sl", 0)),
            "tp": float(request.get("tp", 0)),
            "position": int(request.get("position", 0)),
            "reason": int(request.get("reason", Mt5.ORDER_REASON_EXPERT)),
            "price": float(px),
            "offset_s": int(self._ledger.setting("offset_s", 0)),
        }
        return Order(
            "main",
            "mt5",
            str(request["symbol"]),
            side_of(request),
            ord_type,
            decimal(request, "volume"),
            px=limit,
            stop_px=px if triggered else ZERO,
            tif=_TIFS.get(filling, Tif.GTC) if market else Tif.GTC,
            client_id=comment,
            tag=str(terms["magic"]),
            bucket=str(terms["position"] or ""),
            venue=json.dumps(terms),
        )

    def _open(self, request: Row) -> Order | None:
        order = self._desk.store.order(int(request.get("order", 0)) - ORDER_BASE)
        return order if order is not None and order.is_open else None

    def _frozen(self, order: Order) -> bool:
        info, quote = self._ledger.symbol(order.symbol), quoted(self._desk.store, order.symbol)
        if info is None or quote is None or not info.trade_freeze_level:
            return False
        return abs(quote.px(order.side) - (order.stop_px or order.px)) <= points(info, info.trade_freeze_level)

    def _remove(self, request: Row) -> Row:
        order, strike = self._open(request), self._desk.faults.strike
        if order is None:
            return self._result(request, Mt5.TRADE_RETCODE_INVALID)
        if self._frozen(order):
            return self._result(request, Mt5.TRADE_RETCODE_FROZEN)
        if strike(Fault.CANCEL_FILL_RACE, "cancel"):
            self.matcher.fill(order, order.leaves_qty)
            return self._result(request, Mt5.TRADE_RETCODE_INVALID)
        if strike(Fault.END_BEFORE_FILLS, "cancel"):
            order = self.matcher.fill(order, _half(order))
            newest = self._ledger.deals()[-1]["ticket"]
            self.lists.hidden.add(newest)
            self._desk.later(self._desk.delay_ms, lambda: self.lists.hidden.discard(newest))
        late = strike(Fault.LATE_FILL, "cancel")
        ended = self.matcher.cancel(order, "canceled on request")
        if late:
            self._desk.later(self._desk.short_ms, lambda: self._fill_late(ended))
        return self._result(request, Mt5.TRADE_RETCODE_DONE, order=ticket_of(order))

    def _fill_late(self, order: Order) -> None:
        self.matcher.fill(order, _half(order))

    def _modify(self, request: Row) -> Row:
        order = self._open(request)
        if order is None:
            return self._result(request, Mt5.TRADE_RETCODE_INVALID)
        if self._frozen(order):
            return self._result(request, Mt5.TRADE_RETCODE_FROZEN)
        px, limit, terms = decimal(request, "price"), decimal(request, "stoplimit"), json.loads(order.venue)
        stop_px = px if order.has_trigger else ZERO
        limit_px = (limit if order.has_trigger else px) if order.has_limit else ZERO
        sl, tp = float(request.get("sl", 0)), float(request.get("tp", 0))
        now = order._replace(
            px=limit_px, stop_px=stop_px, venue=json.dumps({**terms, "price": float(px), "sl": sl, "tp": tp})
        )
        if now == order:
            return self._result(request, Mt5.TRADE_RETCODE_NO_CHANGES)
        self.matcher.amend(now, qty=now.qty, px=now.px)
        return self._result(request, Mt5.TRADE_RETCODE_DONE, order=ticket_of(order))

    def _protect(self, request: Row) -> Row:
        held = self._ledger.position(int(request.get("position", 0)))
        if held is None:
            return self._result(request, Mt5.TRADE_RETCODE_POSITION_CLOSED)
        info, quote = self._ledger.symbol(held["symbol"]), quoted(self._desk.store, held["symbol"])
        if info is None or quote is None:
            return self._result(request, Mt5.TRADE_RETCODE_PRICE_OFF)
        sl, tp = decimal(request, "sl"), decimal(request, "tp")
        if (float(sl), float(tp)) == (held["sl"], held["tp"]):
            return self._result(request, Mt5.TRADE_RETCODE_NO_CHANGES)
        code = stops(info, quote, int(held["side"]), sl, tp)
        if code:
            return self._result(request, code)
        self._ledger.amend_position(int(held["ticket"]), sl=float(sl), tp=float(tp))
        return self._result(request, Mt5.TRADE_RETCODE_DONE)

    def _close_by(self, request: Row) -> Row:
        """Close two opposite positions with each other: an order, and a deal on each side."""
        one, other = (self._ledger.position(int(request.get(name, 0))) for name in ("position", "position_by"))
        if one is None or other is None:
            return self._result(request, Mt5.TRADE_RETCODE_POSITION_CLOSED)
        if one["symbol"] != other["symbol"] or one["side"] == other["side"]:
            return self._result(request, Mt5.TRADE_RETCODE_INVALID)
        volume = min(Decimal(one["volume"]), Decimal(other["volume"]))
        for held, px in ((one, other["price_open"]), (other, other["price_open"])):
            closing = {**request, "symbol": held["symbol"], "volume": float(volume), "position": held["ticket"]}
            order = self._order({**closing, "type": 1 if held["side"] > 0 else 0})
            self.matcher.fill(self.matcher.receive(order), volume, Decimal(px))
        return self._result(request, Mt5.TRADE_RETCODE_DONE, order=ticket_of(self._desk.store.orders()[-1]))

    def _result(self, request: Row, retcode: int, **values: Any) -> Row:
        quote = self._desk.store.quote(str(request.get("symbol", "")))
        number = 0 if retcode == Mt5.TRADE_RETCODE_CLIENT_DISABLES_AT else int(self._ledger.setting("requests", 0)) + 1
        if number:
            self._ledger.set("requests", number)
        prices = (float(quote.bid), float(quote.ask)) if quote is not None else (0.0, 0.0)
        result = OrderSendResult(retcode, comment=TEXTS[retcode], request_id=number, bid=prices[0], ask=prices[1])
        return {**result._replace(**values)._asdict(), "request": _repeated(request)}

    # -- the market -------------------------------------------------------------------------------------------

    def set_quote(self, quote: Quote) -> None:
        """The price moves: pending orders first, then the stops of positions."""
        self.matcher.set_quote(quote)
        for held in self._ledger.positions():
            if held["symbol"] == quote.symbol:
                self._guard(held, quote)

    def _guard(self, held: Row, quote: Quote) -> None:
        info, side = self._ledger.symbol(held["symbol"]) or SymbolInfo(name=held["symbol"]), int(held["side"])
        reached_px, px = trigger_px(info, quote, -side), quote.px(-side)
        sl, tp = Decimal(repr(held["sl"])), Decimal(repr(held["tp"]))
        if sl and (reached_px - sl) * side <= 0:
            reason, comment = Mt5.ORDER_REASON_SL, f"[sl {sl}]"
        elif tp and (reached_px - tp) * side >= 0:
            reason, comment = Mt5.ORDER_REASON_TP, f"[tp {tp}]"
        else:
            return
        order = self._order(
            {
                "symbol": held["symbol"],
                "type": 1 if side > 0 else 0,
                "volume": float(held["volume"]),
                "position": held["ticket"],
                "magic": held["magic"],
                "comment": comment,
                "reason": reason,
            }
        )
        self.matcher.fill(self.matcher.receive(order), order.qty, px)

    def end_day(self) -> int:
        """The day is over: orders for the day expire; how many."""
        today = [
            order
            for order in self._desk.store.orders(open_only=True)
            if json.loads(order.venue)["time"] == Mt5.ORDER_TIME_DAY
        ]
        for order in today:
            self._desk.store.note("expired", str(order.number), "1")
            self.matcher.cancel(order, "the day is over", Status.EXPIRED)
        return len(today)


def _half(order: Order) -> Decimal:
    """About half of what is open, in whole steps of a hundredth."""
    return max((order.leaves_qty / 2).quantize(Decimal("0.01"), rounding="ROUND_DOWN"), Decimal("0.01"))


def _repeated(request: Row) -> Row:
    """A request as results repeat it."""
    known = {name: request[name] for name in TradeRequest._fields if name in request}
    return TradeRequest(**known)._asdict()
