"""The venue itself, without sockets: requests in, answers and reports out, faults in between.

Theory of operation. A request passes three hops, each a commit of its own: it is received, it is matched, what
happened is reported. The exchange knows no clock and no socket: `now_ns`, `later` and the lines come from outside, so
that the same code stands behind a TCP port and inside the deterministic simulator.

1. An order trades at the price that was set last: MARKET at once, LIMIT when the price crosses it, at its limit or
   better, STOP like MARKET from the moment on when the price has reached its trigger. Nothing else is simulated.
2. Nothing is deduplicated, unless the rules say so: a client that resends blindly trades twice, and the truth shows.
3. A fault strikes when it is armed and its occasion comes; each strike is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from surefill.domain.reports import ExecType, VenueReport
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue.faults import Fault, FaultSwitch
from surefill.testing.remote_venue.messages import (
    ORD_TYPES,
    Account,
    Amend,
    Answer,
    Cancel,
    Control,
    Hello,
    Look,
    Ping,
    Positions,
    Priced,
    Replay,
    Reply,
    Request,
    Rules,
    Streamed,
    Submit,
    Truth,
    Watch,
)
from surefill.testing.remote_venue.truth import CANCELED, REFUSED, WORKING, Placed, TruthStore

Asked = Submit | Cancel | Amend | Look | Positions | Account
Numbered = tuple[int, VenueReport]
Later = Callable[[int, Callable[[], None]], None]


class Line(Protocol):
    """One connection, seen from the venue."""

    def send(self, message: Reply) -> None:
        """Send it; to a line that is gone this does nothing."""

    def garble(self) -> None:
        """Send something that nobody can read."""

    def drop(self) -> None:
        """Break the connection."""


class Crash(Exception):
    """The process dies here: what was committed stays, nothing else does."""


class Exchange:
    """`later(delay_ms, call)` calls back; `now_ns` tells the time; `received` is told of each order that arrives."""

    def __init__(self, truth: TruthStore, now_ns: Callable[[], int], later: Later) -> None:
        self.truth = truth
        self.faults = FaultSwitch()
        self.rules = Rules()
        self.received: Callable[[str, str], None] = lambda _account, _cl_ord_id: None
        self._now_ns = now_ns
        self._later = later
        self._lines: dict[Line, str] = {}
        self._watched: dict[Line, frozenset[str]] = {}

    # -- lines ------------------------------------------------------------------------------------------------

    def hello(self, line: Line, request: Hello) -> None:
        """A connection begins, or says anew what it is about."""
        self._lines[line] = request.account
        if request.after >= 0:
            self._replay(line, request.account, request.after)

    def goodbye(self, line: Line) -> None:
        """A connection is gone."""
        self._lines.pop(line, None)
        self._watched.pop(line, None)

    def take(self, line: Line, request: Request) -> None:
        """Everything a client can send. Raises Crash when that fault strikes."""
        if isinstance(request, Hello):
            self.hello(line, request)
        elif isinstance(request, Control):
            line.send(self.command(request))
        elif isinstance(request, Ping | Replay | Watch):
            self._tend(line, request)
        else:
            self._arrive(line, request)

    def _tend(self, line: Line, request: Ping | Replay | Watch) -> None:
        account = self._lines.get(line, "")
        if isinstance(request, Watch):
            self._watched[line] = self._watched.get(line, frozenset()) | frozenset(request.instrument_ids)
        if isinstance(request, Replay):
            self._replay(line, account, request.after)
        line.send(Answer(request.id, head=self.truth.head(account)))

    def _replay(self, line: Line, account: str, after: int) -> None:
        for number, report in self.truth.reports(account, after):
            line.send(Streamed(number, report))

    # -- the way in -------------------------------------------------------------------------------------------

    def _arrive(self, line: Line, request: Asked) -> None:
        """What may happen to a request before it is handled."""
        op, strike = _op(request), self.faults.strike
        if strike(Fault.LOSE_REQUEST, op):
            return
        if strike(Fault.DISCONNECT, op):
            line.drop()
        elif strike(Fault.THROTTLED, op):
            line.send(Answer(request.id, ok=False, code="THROTTLED", text="too many requests: not done"))
        elif strike(Fault.DELAY_REQUEST, op):
            account = self._lines.get(line, "")
            self._later(self.rules.delay_ms, lambda: self._handle(line, account, request))
        else:
            self._handle(line, self._lines.get(line, ""), request)

    def _handle(self, line: Line, account: str, request: Asked) -> None:
        if isinstance(request, Submit):
            self._submit(line, account, request)
        elif isinstance(request, Cancel):
            self._cancel(line, account, request)
        elif isinstance(request, Amend):
            self._amend(line, account, request)
        else:
            self._reply(line, self._look(account, request), _op(request))

    def _reply(self, line: Line, answer: Answer, op: str, delay_ms: int = 0) -> None:
        """What may happen to an answer on its way out."""
        strike = self.faults.strike
        if strike(Fault.LOSE_ANSWER, op):
            return
        if strike(Fault.DISCONNECT_AFTER, op):
            line.drop()
        elif strike(Fault.GARBLE_ANSWER, op):
            line.garble()
        else:
            if strike(Fault.SERVER_ERROR, op):
                answer = Answer(answer.id, ok=False, code="SERVER_ERROR", text="something broke")
            if strike(Fault.DELAY_ANSWER, op):
                delay_ms = self.rules.delay_ms
            self._soon(delay_ms, lambda: line.send(answer))

    def _soon(self, delay_ms: int, call: Callable[[], None]) -> None:
        if delay_ms:
            self._later(delay_ms, call)
        else:
            call()

    # -- orders -----------------------------------------------------------------------------------------------

    def _submit(self, line: Line, account: str, request: Submit) -> None:
        now_ns = self._now_ns()
        turned_away = self._turned_away(account, request, now_ns)
        if turned_away is not None:
            self._reply(line, turned_away, "submit")
            return
        self.received(account, request.cl_ord_id)
        order = self.truth.receive(account, request, now_ns, refused=self._why_not(request))
        self._hop("received")
        self._match(order)
        self._hop("matched")
        reports = self.truth.report(self.truth.order(order.number), now_ns)
        self._hop("reported")
        self._acknowledge(line, request, self.truth.order(order.number), reports)

    def _turned_away(self, account: str, request: Submit, now_ns: int) -> Answer | None:
        """An answer to an order that does not count as received."""
        window_ns = self.rules.receive_window_ns
        if window_ns and now_ns > request.sent_ns + window_ns:
            return Answer(request.id, ok=False, code="TOO_LATE", text="outside the receive window")
        if self.rules.dedupe and self.truth.orders(account, request.cl_ord_id):
            return Answer(request.id, ok=False, code="DUPLICATE_ORDER", text="it is here already")
        return None

    def _why_not(self, request: Submit) -> str:
        if self.faults.strike(Fault.REFUSED, "submit"):
            return "refused by a check of the venue's"
        if request.ord_type not in ORD_TYPES:
            return f"order type {request.ord_type} is not known here"
        return self._price_missing(request)

    def _price_missing(self, request: Submit) -> str:
        if request.ord_type == OrdType.MARKET and not self.truth.price(request.instrument_id)[0]:
            return f"no price for {request.instrument_id}"
        return ""

    def _acknowledge(self, line: Line, request: Submit, order: Placed, reports: list[Numbered]) -> None:
        filled = len(reports) > 1
        if filled and self.faults.strike(Fault.FILLED_UNSEEN, "submit"):
            return
        if order.status == REFUSED:
            answer = Answer(request.id, ok=False, code="REFUSED", text=order.text)
        else:
            answer = Answer(request.id, reports=(order.report(ExecType.NEW, self._now_ns()),))
        if filled and self.faults.strike(Fault.FILL_BEFORE_ACK, "submit"):
            self._publish(order.account, reports[1:] + reports[:1])
            self._reply(line, answer, "submit", self.rules.short_ms)
        else:
            self._reply(line, answer, "submit")
            self._publish(order.account, reports)

    def _match(self, order: Placed) -> None:
        """Trade what trades now; the rest rests, or ends where its time in force says so."""
        if order.status != WORKING:
            return
        px, shown = self.truth.price(order.instrument_id)
        if order.ord_type == OrdType.STOP and not order.triggered:
            if not px or (px - order.stop_px) * order.side < 0:
                return
            order = self.truth.trigger(order)
        if px and _crosses(order, px):
            qty = order.leaves_qty if shown < 0 else min(order.leaves_qty, shown)
            if order.time_in_force == TimeInForce.FOK and qty < order.leaves_qty:
                qty = 0
            if qty:
                order = self._execute(order, px, qty)
        at_once = order.ord_type != OrdType.LIMIT and not self.rules.market_rests
        if order.status == WORKING and (order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) or at_once):
            self.truth.end(order, CANCELED, "not filled at once")

    def _execute(self, order: Placed, px: int, qty: int) -> Placed:
        return self.truth.execute(order, px, _cut(qty, self.rules.slices), self.rules.fee, self._now_ns())

    def _cancel(self, line: Line, account: str, request: Cancel) -> None:
        strike = self.faults.strike
        found = [order for order in self.truth.orders(account, request.cl_ord_id) if order.status == WORKING]
        if not found:
            answer = Answer(request.id, ok=False, code="UNKNOWN_ORDER", text="not working: it has ended, or never was")
            self._reply(line, answer, "cancel")
            return
        for order in found:
            if strike(Fault.CANCEL_FILL_RACE, "cancel"):
                filled = self._execute(order, self._px_of(order), order.leaves_qty)
                self._publish(account, self.truth.report(filled, self._now_ns()), self.rules.short_ms)
                self._reply(line, Answer(request.id, ok=False, code="FILLED", text="too late to cancel"), "cancel")
                return
            self._end(line, request, order)

    def _amend(self, line: Line, account: str, request: Amend) -> None:
        found = [order for order in self.truth.orders(account, request.cl_ord_id) if order.status == WORKING]
        if not found or request.order_qty <= found[0].cum_qty:
            answer = Answer(request.id, ok=False, code="UNKNOWN_ORDER", text="not working, or filled beyond that")
            self._reply(line, answer, "amend")
            return
        order = self.truth.amend(found[0], request.order_qty, request.px, request.stop_px)
        answer = Answer(request.id, reports=(order.report(ExecType.STATUS, self._now_ns()),))
        self._reply(line, answer, "amend")
        self._match(order)
        self._publish(account, self.truth.report(self.truth.order(order.number), self._now_ns()))

    def _end(self, line: Line, request: Cancel, order: Placed) -> None:
        strike, leaves_qty = self.faults.strike, order.leaves_qty
        fills_first = leaves_qty > 1 and strike(Fault.END_BEFORE_FILLS, "cancel")
        if fills_first:
            order = self._execute(order, self._px_of(order), leaves_qty // 2)
        ended = self.truth.end(order, CANCELED, "canceled on request")
        reports = self.truth.report(ended, self._now_ns())
        answer = Answer(request.id, reports=(ended.report(ExecType.CANCELED, self._now_ns()),))
        self._reply(line, answer, "cancel")
        if fills_first:
            self._publish(order.account, reports[-1:])
            self._publish(order.account, reports[:-1], self.rules.delay_ms)
        else:
            self._publish(order.account, reports)
        if strike(Fault.LATE_FILL, "cancel"):
            self._later(self.rules.short_ms, lambda: self._fill_late(ended, max(leaves_qty // 2, 1)))

    def _fill_late(self, order: Placed, qty: int) -> None:
        qty = min(qty, order.leaves_qty)
        if qty:
            self._publish(
                order.account, self.truth.report(self._execute(order, self._px_of(order), qty), self._now_ns())
            )

    def _px_of(self, order: Placed) -> int:
        """The price of an execution that a fault brings about: the order's own limit, else that of the market."""
        return order.px or self.truth.price(order.instrument_id)[0]

    # -- the market -------------------------------------------------------------------------------------------

    def set_price(self, instrument_id: str, px: int, qty: int = -1) -> None:
        """The price moves; what rests and crosses trades."""
        self.truth.set_price(instrument_id, px, qty)
        copies = 0 if self.faults.strike_only(Fault.LOSE_REPORT, "quotes") else 1
        copies += bool(copies) and self.faults.strike_only(Fault.DUPLICATE_REPORT, "quotes")
        for line, watched in self._watched.items():
            if instrument_id in watched:
                for _ in range(copies):
                    line.send(Priced(instrument_id, px, self._now_ns()))
        for order in self.truth.working(instrument_id):
            self._match(order)
            reports = self.truth.report(self.truth.order(order.number), self._now_ns())
            if reports:
                self._publish(order.account, reports)

    def restart(self) -> None:
        """The process is back: every line is gone, and what died between two hops goes on."""
        for line in list(self._lines):
            line.drop()
        self._lines.clear()
        self._watched.clear()
        for order in self.truth.unreported():
            self._match(order)
            self.truth.report(self.truth.order(order.number), self._now_ns())

    def _hop(self, name: str) -> None:
        if self.faults.strike(Fault.CRASH, name):
            raise Crash(name)

    # -- the way out of reports -------------------------------------------------------------------------------

    def _publish(self, account: str, reports: list[Numbered], delay_ms: int = 0) -> None:
        """What may happen to reports on the stream."""
        strike = self.faults.strike
        if not reports:
            return
        if strike(Fault.REORDER_REPORTS, "stream"):
            if len(reports) == 1:
                delay_ms = max(delay_ms, self.rules.delay_ms)
            reports = reports[::-1]
        if strike(Fault.DUPLICATE_REPORT, "stream"):
            reports = [each for each in reports for _ in range(2)]
        kept = [Streamed(*each) for each in reports if not strike(Fault.LOSE_REPORT, "stream")]
        self._soon(delay_ms, lambda: self._stream(account, kept))

    def _stream(self, account: str, messages: Iterable[Streamed]) -> None:
        lines = [line for line, owner in self._lines.items() if owner == account]
        for message in messages:
            for line in lines:
                line.send(message)

    # -- looks ------------------------------------------------------------------------------------------------

    def _look(self, account: str, request: Look | Positions | Account) -> Answer:
        op, strike = _op(request), self.faults.strike
        if strike(Fault.QUERY_ERROR, op):
            return Answer(request.id, ok=False, code="SERVER_ERROR", text="no answer to this question now")
        if strike(Fault.EMPTY_SNAPSHOT, op):
            return Answer(request.id)
        stale = strike(Fault.STALE_SNAPSHOT, op)
        if isinstance(request, Positions):
            return Answer(request.id, positions=self.truth.positions(account, without_newest=stale))
        if isinstance(request, Account):
            return self._look_at_all(account, request, stale=stale)
        orders = self.truth.orders(account, request.cl_ord_id)
        if stale:
            # Every order as it was when it had just been taken.
            orders = [order._replace(status=WORKING, cum_qty=0) for order in orders]
        return Answer(request.id, reports=tuple(self._find(account, request, orders, stale=stale)))

    def _look_at_all(self, account: str, request: Account, *, stale: bool) -> Answer:
        if request.place == "open_orders":
            every = self.truth.all_orders(account)
            newest = every[-1:] if stale else ()  # as it was when it had just been taken
            listed = tuple(order for order in every if order.status == WORKING or order in newest)
            return Answer(request.id, orders=listed)
        if request.place == "executions":
            reports = tuple(self.truth.executions(account, request.since_ns))
            return Answer(request.id, reports=reports[:-1] if stale else reports)
        moves = tuple(self.truth.moves(account, request.since_ns))
        if request.place == "moves":
            return Answer(request.id, moves=moves[:-1] if stale else moves)
        balances: dict[str, int] = {}
        for move in moves:
            balances[move.asset] = balances.get(move.asset, 0) + move.amount
        return Answer(request.id, balances=balances)

    def _find(self, account: str, request: Look, orders: list[Placed], *, stale: bool) -> list[VenueReport]:
        if request.place == "trades":
            return [] if stale else self.truth.trades(account, request.cl_ord_id)
        resting = request.place == "open_orders"
        found = [order for order in orders if (order.status == WORKING) == resting]
        return [order.report(_ENDED.get(order.status, ExecType.STATUS), self._now_ns()) for order in found]

    # -- a test's hand ----------------------------------------------------------------------------------------

    def command(self, request: Control) -> Answer:
        """Do what a test's hand wants."""
        match request.command:
            case "price":
                self.set_price(request.instrument_id, request.px, request.qty)
            case "rules":
                self.rules = request.rules or Rules()
            case "arm":
                fault = Fault[request.fault]
                self.faults.arm(fault, times=request.times, rate_ppm=request.rate_ppm, op=request.op)
            case "heal":
                self.faults.heal()
            case "seed":
                self.faults.seed(request.qty)
            case "hand":
                self._make_by_hand(request)
            case "withdraw":
                self._withdraw(request)
            case "move":
                assert request.move is not None
                self.truth.move(request.account, msgspec.structs.replace(request.move, transact_ns=self._now_ns()))
            case "truth":
                return Answer(request.id, truth=self.told_truth(request.account))
            case _:
                return Answer(request.id, ok=False, code="UNKNOWN_COMMAND", text=request.command)
        return Answer(request.id)

    def _make_by_hand(self, request: Control) -> None:
        """An order that somebody makes beside us."""
        kind, rests = (OrdType.LIMIT, TimeInForce.GTC) if request.px else (OrdType.MARKET, TimeInForce.IOC)
        name = request.instrument_id
        made = Submit(0, 0, "", name, name, request.side, kind, rests, request.qty, request.px)
        order = self.truth.receive(request.account, made, self._now_ns(), refused=self._price_missing(made))
        self._match(order)
        self._publish(request.account, self.truth.report(self.truth.order(order.number), self._now_ns()))

    def _withdraw(self, request: Control) -> None:
        for order in self.truth.orders(request.account, ""):
            if order.order_id == request.order_id and order.status == WORKING:
                ended = self.truth.end(order, CANCELED, "canceled by hand")
                self._publish(request.account, self.truth.report(ended, self._now_ns()))

    def told_truth(self, account: str = "") -> Truth:
        """What really happened, to one account or to all."""
        fired = {fault.name: count for fault, count in self.faults.fired.items()}
        if account:
            return Truth(self.truth.all_orders(account), {account: self.truth.positions(account)}, fired)
        return Truth(self.truth.all_orders(), self.truth.all_positions(), fired)


_ENDED = {CANCELED: ExecType.CANCELED, "expired": ExecType.EXPIRED, REFUSED: ExecType.REJECTED}


def _op(request: Asked) -> str:
    return request.place if isinstance(request, Look | Account) else type(request).__name__.lower()


def _crosses(order: Placed, px: int) -> bool:
    return order.ord_type != OrdType.LIMIT or (order.px - px) * order.side >= 0


def _cut(qty: int, slices: int) -> list[int]:
    """A quantity in up to `slices` pieces, the first ones equal."""
    piece = max(qty // max(slices, 1), 1)
    count = min(slices, qty)
    return [piece] * (count - 1) + [qty - piece * (count - 1)]
