"""What a gate is asked: one intent, resolved against the state and the market of its moment."""

from __future__ import annotations

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote
from surefill.domain.position import Position, position_key
from surefill.domain.profile import Profile
from surefill.domain.state import Book, State
from surefill.domain.valuation import equity, exposures
from surefill.rules.codes import OrdType
from surefill.units import quanta_text

_CLOSE, _MARKET = Action.CLOSE, OrdType.MARKET
NO_TERMS = Terms()
_NOT_YET = -(2**100)
NOWHERE = Instrument("", "", 0, 0, 1, (NO_TERMS,))


def closing_qty(intent: Intent, position_qty: int, leaving_qty: int) -> int:
    """What a CLOSE asks for: a part, or all that can leave where it names no quantity, or all that is held."""
    qty = intent.order_qty or abs(position_qty)
    return leaving_qty if qty == abs(position_qty) else qty


class Question:
    """An intent with side and quantity resolved: a CLOSE takes the side that flattens, and all if it names none.

    All is what can leave in one order: whole lots, where the venue refuses odd ones (`leaving_qty`; 0: it is dust). An
    ADD takes the side of the position. `closes`: it is a CLOSE. `reduces`: the order can only make the position
    smaller. `is_exit`: one of the two; entry limits do not hold it up.
    """

    __slots__ = (
        "_equity",
        "_exposures",
        "book",
        "closes",
        "instrument",
        "intent",
        "is_exit",
        "key",
        "leaving_qty",
        "position_qty",
        "profile",
        "qty",
        "quote",
        "reduces",
        "side",
        "state",
        "terms",
        "ts_ns",
    )

    def __init__(self, state: State, intent: Intent, ts_ns: int) -> None:
        book: Book = state.book
        self.state = state
        self.book = book
        self.intent = intent
        self.ts_ns = ts_ns
        self.profile: Profile = book.profile
        self.instrument = book.instruments.get(intent.instrument_id, NOWHERE)
        self.terms = self.instrument.terms_at(ts_ns)
        self.quote: Quote | None = state.quotes.get(intent.instrument_id)
        self.key = position_key(intent.instrument_id, intent.bucket)
        position: Position | None = book.positions.get(self.key)
        self.position_qty = 0 if position is None else position.qty
        self.side, self.qty = intent.side, intent.order_qty
        self.leaving_qty = 0
        if self.position_qty:
            self.leaving_qty = self.terms.leaving_qty(abs(self.position_qty), self._market_px)
        self.closes: bool = intent.action == _CLOSE
        if self.closes and self.position_qty:
            self.side = -1 if self.position_qty > 0 else 1
            self.qty = closing_qty(intent, self.position_qty, self.leaving_qty)
        elif self.position_qty and intent.action == Action.ADD:
            self.side = 1 if self.position_qty > 0 else -1
        self.reduces: bool = self.position_qty * self.side < 0 and 0 < self.qty <= abs(self.position_qty)
        self.is_exit: bool = self.reduces or self.closes
        self._equity: int | None = _NOT_YET
        self._exposures: dict[str, int] | None = None

    @property
    def flattens(self) -> bool:
        """Whether the order closes all that is held and can leave."""
        return self.position_qty * self.side < 0 and self.qty == self.leaving_qty

    @property
    def _market_px(self) -> int:
        """What is held would sell near this; 0: no price has been seen."""
        quote = self.quote
        return 0 if quote is None else quote.last_px or quote.bid_px or quote.ask_px

    @property
    def equity(self) -> int | None:
        """What the account is worth; None: not known. Reckoned once for all gates that ask."""
        if self._equity == _NOT_YET:
            self._equity = equity(self.state)
        return self._equity

    @property
    def exposures(self) -> dict[str, int]:
        """By instrument, what is held and on its way. Reckoned once for all gates that ask."""
        if self._exposures is None:
            self._exposures = exposures(self.state)
        return self._exposures

    @property
    def arrival_px(self) -> int:
        """The price this order meets now: the far side of the quote, else the last price, else 0 (none)."""
        quote = self.quote
        if quote is None:
            return 0
        far_px = quote.ask_px if self.side > 0 else quote.bid_px
        return far_px or quote.last_px

    @property
    def spread(self) -> int:
        """How far bid and ask are apart now; 0 where they are not quoted."""
        quote = self.quote
        return quote.ask_px - quote.bid_px if quote is not None and quote.bid_px and quote.ask_px else 0

    @property
    def limit_px(self) -> int:
        """The worst price the order may trade at: its own limit, its trigger, or the market it meets."""
        intent = self.intent
        if intent.ord_type == _MARKET:
            return self.arrival_px
        if intent.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT):
            return intent.px
        return max(intent.stop_px, self.arrival_px) if intent.ord_type == OrdType.STOP else self.arrival_px

    @property
    def entry_px(self) -> int:
        """The price the order is expected to trade at.

        A limit that the market already betters trades at the market, and so does a stop that it has passed.
        """
        intent, px, market_px = self.intent, self.limit_px, self.arrival_px
        if intent.ord_type == OrdType.STOP and self.side < 0:
            return min(intent.stop_px, market_px) if market_px else intent.stop_px
        if intent.ord_type != OrdType.LIMIT or not market_px:
            return px
        return min(px, market_px) if self.side > 0 else max(px, market_px)

    @property
    def value(self) -> int:
        """The money that the order stands in for, at the worst price it may trade at; 0 where there is no price."""
        return self.limit_px * self.qty * self.instrument.money_per_notional

    def px_text(self, px: int) -> str:
        """A price as a person writes it."""
        return quanta_text(px, self.instrument.price_decimals)

    def qty_text(self, qty: int) -> str:
        """A quantity as a person writes it."""
        return quanta_text(qty, self.instrument.qty_decimals)

    def money_text(self, money: int) -> str:
        """An amount in the workspace's currency."""
        return f"{quanta_text(money, self.book.money_decimals)} {self.book.currency}"
