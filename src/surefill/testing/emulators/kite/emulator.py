"""What the shared parts need to know of Kite: its words for faults, its prices, its commands."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from starlette.types import ASGIApp

from surefill.errors import InputError
from surefill.testing.emulators.groundwork import AnyFault, Fault, WireFault
from surefill.testing.emulators.groundwork.desk import Answer, Desk
from surefill.testing.emulators.groundwork.records import Quote
from surefill.testing.emulators.kite.amounts import money
from surefill.testing.emulators.kite.app import application, op_of
from surefill.testing.emulators.kite.commands import COMMANDS
from surefill.testing.emulators.kite.errors import DOUBTS, KiteError, bad_input, too_many
from surefill.testing.emulators.kite.postbacks import Postbacks
from surefill.testing.emulators.kite.ticker import Ticker
from surefill.testing.emulators.kite.venue import Venue


class KiteEmulator:
    """`common.desk.Emulator`."""

    def __init__(self, desk: Desk) -> None:
        self.venue = Venue(desk)
        self.app: ASGIApp = application(self.venue, Ticker(self.venue).serve)
        self._postbacks = Postbacks(self.venue)

    def op_of(self, method: str, path: str) -> str:
        """See `Emulator.op_of`."""
        return op_of(method, path)

    def answer_of(self, fault: AnyFault, op: str) -> Answer:
        """See `Emulator.answer_of`. Kite bans nobody: it goes on saying 429; where nobody knows, `doubt` tells how."""
        if fault in (Fault.THROTTLED, WireFault.BANNED):
            error = too_many()
        elif fault is Fault.REFUSED:
            error = bad_input("The order was refused by a check of the broker's.")
        elif fault is WireFault.OVERLOADED:
            error = DOUBTS["network_503"]
        else:
            error = DOUBTS[self.venue.book.rules.doubt]
        return Answer(error.status, msgspec.json.encode(error.body))

    def set_quote(self, quote: Quote) -> None:
        """See `Emulator.set_quote`; the symbol is `EXCHANGE:TRADINGSYMBOL`."""
        book = self.venue.book
        if self.venue.store.instruments.get(quote.symbol) is None:
            raise InputError(f"{quote.symbol} is not listed at the emulated Kite; write it like NSE:INFY")
        price = book.lookup(quote.symbol)[1]
        last, bid, ask = (money(px, "price") for px in (quote.last, quote.bid, quote.ask))
        bid_qty, ask_qty = _shown(quote.bid_qty), _shown(quote.ask_qty)
        self.venue.set_price(quote.symbol, price.moved(last, bid, ask, bid_qty, ask_qty, book.clock.now_ns()))

    def seed(self, body: Mapping[str, Any]) -> None:
        """See `Emulator.seed`: `cash`, and `holdings` as the command `hold` takes them."""
        if "cash" in body:
            COMMANDS["kite_rules"](self.venue, {"cash": body["cash"]})
        for held in body.get("holdings", ()):
            COMMANDS["hold"](self.venue, held)

    def control(self, command: str, body: Mapping[str, Any]) -> Any:
        """See `Emulator.control`: a command of `commands.COMMANDS`."""
        try:
            done = COMMANDS[command](self.venue, body)
        except KiteError as error:
            raise ValueError(error.message) from error
        if self.venue.book.rules.postback_url:
            self._postbacks.start()
        return done

    def restart(self) -> None:
        """See `Emulator.restart`."""
        self.venue.restart()


def _shown(qty: Decimal | None) -> int:
    return -1 if qty is None else int(qty)
