"""The core with nothing around it: inputs in, and a venue that says exactly what the test says.

Every event goes through the codec into a second state, which must stay equal; after every input the book must hold.
"""

from __future__ import annotations

from typing import Any, TypeVar

from surefill.domain import codec
from surefill.domain.decide import step
from surefill.domain.effects import Effect
from surefill.domain.events import Event, OrderCreated
from surefill.domain.evolve import evolve
from surefill.domain.inputs import DefineInstrument, Input, OpenWorkspace, OrderQueried, SubmitIntent, VenueReports
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.orders import Order
from surefill.domain.position import Position
from surefill.domain.profile import BASIC_GATES, Profile
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import State
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.invariants import check_book

E = TypeVar("E")

MONEY_PER_NOTIONAL = 10**6  # price and quantity without decimals, money with six
ALL_GATES = (*BASIC_GATES, "plan", "owner", "position", "duplicate", "notional", "cash")


def instrument(instrument_id: str = "X", *terms: Terms, **fields: Any) -> Instrument:
    """A tick of 5, a lot of 10, unless terms are given."""
    return Instrument(instrument_id, "EUR", 0, 0, MONEY_PER_NOTIONAL, terms or (Terms(0, 5, 10),), **fields)


def profile(*gates: str, limits: Limits | None = None, **changes: Any) -> Profile:
    """Every gate unless some are named; cash may go below zero unless limits are given."""
    return Profile("test", gates or ALL_GATES, limits=limits or Limits(allow_negative_cash=True), **changes)


def opening(rules: Profile, mode: str = "paper", cash: int = 0) -> OpenWorkspace:
    return OpenWorkspace(1, "w", mode, "scripted", "a", "EUR", 6, cash, rules, "config")


class Core:
    """A workspace with instruments X and Y; X is quoted at 1000 from the start."""

    def __init__(self, rules: Profile | None = None, *, mode: str = "paper", cash: int = 0, px: int = 1000) -> None:
        self.state = State()
        self.replayed = State()
        self.now_ns = 10
        self.journal: list[Event] = []
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self._execs = 0
        self.feed(opening(rules or profile(), mode, cash))
        for name in ("X", "Y"):
            self.feed(DefineInstrument(2, instrument(name)))
        if px:
            self.quote(px)

    # -- inputs -----------------------------------------------------------------------------------------------

    def feed(self, item: Input) -> list[Event]:
        """Take an input; what happened is returned, and kept in `events` beside the `effects`."""
        self.now_ns = max(self.now_ns, item.ts_ns)
        self.events, self.effects = step(self.state, item)
        self.journal += self.events
        for event in self.events:
            evolve(self.replayed, codec.decode(codec.encode(event)))
        assert self.replayed.digest() == self.state.digest(), "the fold of the events is not the live state"
        assert check_book(self.state) == []
        return self.events

    def tick(self, step_ns: int = 1) -> int:
        """A moment later."""
        self.now_ns += step_ns
        return self.now_ns

    def quote(self, px: int = 0, instrument_id: str = "X", **fields: int) -> list[Event]:
        return self.feed(Quote(instrument_id, self.tick(), px, **fields))

    def bar(self, open_px: int, high_px: int, low_px: int, close_px: int, *, session_end: bool = False) -> list[Event]:
        """Its opening, then the bar; `events` and `effects` are those of both."""
        open_ns = self.tick(10)
        self.feed(BarOpened("X", open_ns, open_px))
        events, effects = self.events, self.effects
        bar = Bar("X", open_ns, self.tick(10), open_px, high_px, low_px, close_px, is_session_end=session_end)
        self.feed(bar)
        self.events, self.effects = events + self.events, effects + self.effects
        return self.events

    def intent(self, action: Action, side: int, qty: int, **fields: Any) -> Intent:
        fields.setdefault("correlation_id", f"c{len(self.journal)}")
        known = {"intent_id": "", "door": "test", "strategy_id": "s", "instrument_id": "X"}
        return Intent(**{**known, **fields}, action=action, side=side, order_qty=qty)

    def submit(self, intent: Intent, quote: Quote | None = None) -> list[Event]:
        return self.feed(SubmitIntent(self.tick(), intent, quote))

    def order(
        self,
        side: int = 1,
        qty: int = 100,
        *,
        action: Action = Action.TRADE,
        plan: ExitPlan | None = None,
        px: int = 0,
        tif: int = TimeInForce.GTC,
        **fields: Any,
    ) -> Order:
        """The order that an intent became: LIMIT if it has a price; it must be let through."""
        kind = OrdType.LIMIT if px else OrdType.MARKET
        wish = self.intent(action, side, qty, plan=plan, px=px, time_in_force=tif, **{"ord_type": kind, **fields})
        self.submit(wish)
        created = self.only(OrderCreated)
        return self.state.book.orders[created.request.cl_ord_id]

    def hold(self, side: int = 1, qty: int = 100, px: int = 1000, plan: ExitPlan | None = None) -> Position:
        """A position, opened by one fill at `px`."""
        self.fill(self.order(side, qty, plan=plan), qty, px)
        return self.position

    # -- what the venue says ----------------------------------------------------------------------------------

    def report(self, order: Order, exec_type: ExecType, **fields: Any) -> list[Event]:
        """One report; its order id is the order's own reference."""
        fields.setdefault("order_id", order.request.order_ref)
        report = VenueReport(order.request.cl_ord_id, exec_type, **fields)
        return self.feed(VenueReports(self.tick(), (report,)))

    def accept(self, order: Order) -> list[Event]:
        return self.report(order, ExecType.NEW)

    def fill(self, order: Order, qty: int, px: int = 1000, *, exec_id: str = "", **fields: Any) -> list[Event]:
        self._execs += 1
        return self.report(
            order, ExecType.TRADE, exec_id=exec_id or f"e{self._execs}", last_px=px, last_qty=qty, **fields
        )

    def canceled(self, order: Order, cum_qty: int = -1) -> list[Event]:
        return self.report(order, ExecType.CANCELED, cum_qty=cum_qty)

    def rejected(self, order: Order) -> list[Event]:
        return self.report(order, ExecType.REJECTED, code="NO", text="no")

    def absent(self, order: Order) -> list[Event]:
        return self.feed(OrderQueried(self.tick(), order.request.cl_ord_id, False))

    # -- what there is ----------------------------------------------------------------------------------------

    @property
    def position(self) -> Position:
        return self.state.book.positions["X"]

    @property
    def live(self) -> list[Order]:
        return list(self.state.book.orders.values())

    def exit_order(self) -> Order:
        """The one exit order that works."""
        (order,) = [order for order in self.live if order.exit_reason]
        return order

    def only(self, kind: type[E]) -> E:
        """The one event or effect of this kind that the last input brought."""
        (found,) = self.all(kind)
        return found

    def all(self, kind: type[E]) -> list[E]:
        """All events and effects of this kind that the last input brought."""
        return [each for each in (*self.events, *self.effects) if isinstance(each, kind)]

    def names(self) -> list[str]:
        """The events of the last input, by name."""
        return [type(event).__name__ for event in self.events]
