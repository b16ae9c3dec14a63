"""What a door sees of instruments and prices: the caller's feed, the real venue's prices, and the engine's state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from surefill.config import Settings, profile_of
from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote, Source
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError, LocalError
from surefill.intake.caller_feed import CallerFeed, Seen, price_of
from surefill.intake.caller_values import Known, named
from surefill.intake.session import Session
from surefill.intake.venue_names import VenueNames
from surefill.intake.venue_prices import VenuePrices
from surefill.plain import plain_text
from surefill.units import NS_PER_S, observed_quanta, quanta_text

CLOCK_SKEW_NS: Final = NS_PER_S  # how far ahead of ours a feed's clock may be


class SeenMarket:
    """The market of one open workspace. `prices`: the real venue's, None where there is none."""

    def __init__(self, settings: Settings, session: Session) -> None:
        self.settings = settings
        self.session = session
        self._names = VenueNames(settings, session.listed)
        self.prices = self._followed_prices()

    def _followed_prices(self) -> VenuePrices | None:
        """At a real venue: its prices, of what is configured and held from the start, of the rest once it is named."""
        if self.session.market is None:
            return None
        prices = VenuePrices(self.session, self.session.market)
        held = self.session.read(lambda state: {position.instrument_id for _, position in state.open_positions()})
        prices.follow(sorted(held.union(map(self._names.of, self.settings.feed.symbols))))
        return prices

    # -- instruments ---

    def now_ns(self) -> int:
        """The engine's time."""
        return self.session.engine.clock.now_ns()

    def instruments(self) -> dict[str, Instrument]:
        """The instruments of the workspace."""
        return self.session.read(lambda state: dict(state.book.instruments))

    def known(self, symbol: object) -> Instrument | None:
        """The instrument of a symbol that has been met before; None for whatever else a caller says."""
        return self.instruments().get(self._named(symbol)) if isinstance(symbol, str) else None

    def _named(self, symbol: str) -> str:
        """The instrument id of a symbol; of one that has none, itself."""
        try:
            return self._names.of(symbol)
        except InputError:
            return symbol

    def instrument(self, symbol: object, exchange: str = "") -> Known:
        """What a caller's symbol names: its instrument, defined if need be, or why there is none."""
        said = named(symbol)
        try:
            instrument = self.session.ensure_instrument(self._names.of(plain_text(symbol, "symbol"), exchange))
        except LocalError as error:
            return Known(said, None, Refusal(RefusalCode.UNKNOWN_INSTRUMENT, error.message), said)
        if self.prices is not None:
            self.prices.follow([instrument.instrument_id])
        return Known(instrument.instrument_id, instrument, None, said)

    def look(self, feed: CallerFeed, symbol: str, said: str = "") -> tuple[Quote | None, Refusal | None]:
        """The market that the caller's feed shows; or why an intent without it is refused (`unseen`).

        `said`: how the caller writes the symbol. At a real venue a caller without a feed gets the venue's market, which
        the engine has been shown already.
        """
        quote, refusal = self._look(feed, symbol, said or symbol)
        return quote, None if refusal is None else self.unseen(refusal)

    def unseen(self, refusal: Refusal) -> Refusal:
        """A market that the door cannot see holds back entries. A simulated venue cannot trade an exit without it."""
        return msgspec.structs.replace(refusal, entries_only=not self.session.is_simulated)

    def _look(self, feed: CallerFeed, symbol: str, said: str) -> tuple[Quote | None, Refusal | None]:
        if self.prices is not None and not feed.is_connected:
            return None, self.shown(symbol)
        seen = feed.look(said)
        if seen.problem:
            return None, Refusal(RefusalCode.NO_MARKET_DATA, seen.problem)
        ts_ns, refusal = self._time_of(symbol, seen)
        if refusal is not None:
            return None, refusal
        sizes = self.settings.execution.partial_fills  # nobody else asks for them
        try:
            quote = self.session.make_quote(
                symbol,
                last=seen.last,
                bid=seen.bid,
                ask=seen.ask,
                bid_size=seen.bid_size if sizes else None,
                ask_size=seen.ask_size if sizes else None,
                ts_ns=ts_ns,
            )
        except InputError as error:
            return None, Refusal(RefusalCode.INVALID_INPUT, f"the feed's price of {symbol}: {error.message}")
        return quote, None

    def _time_of(self, symbol: str, seen: Seen) -> tuple[int, Refusal | None]:
        """The price's time, where prices may grow stale; a stale one is not shown at all, lest it move an exit.

        Where no age is asked, the price is of now: feeds date their prices in all sorts of ways.
        """
        now_ns = self.now_ns()
        max_age_ns = profile_of(self.settings).limits.price_max_age_ns
        if max_age_ns and seen.untimed:
            return now_ns, Refusal(RefusalCode.STALE_PRICE, f"{symbol}: {seen.untimed}")
        if not max_age_ns or seen.ts_ns is None:
            return now_ns, None
        age_ns = now_ns - seen.ts_ns
        if -CLOCK_SKEW_NS <= age_ns <= max_age_ns:
            return min(seen.ts_ns, now_ns), None
        age, most = quanta_text(age_ns, 9), quanta_text(max_age_ns, 9)
        reason = f"the feed's price of {symbol} is {age} s old, at most {most} s is allowed"
        return now_ns, Refusal(RefusalCode.STALE_PRICE, reason)

    def shown(self, symbol: str) -> Refusal | None:
        """Nothing once the real venue has told a price of it, or where there is no such venue; else why not."""
        problem = "" if self.prices is None else self.prices.missing(symbol)
        return self.unseen(Refusal(RefusalCode.NO_MARKET_DATA, problem)) if problem else None

    def ticks(self, prices: Iterable[tuple[str, object]]) -> tuple[list[Quote], list[str]]:
        """Last prices as quotes, and why the others are none. Only instruments that are known here are asked."""
        known = self.instruments()
        now_ns = self.now_ns()
        quotes, skipped = [], []
        for symbol, price in prices:
            instrument = known.get(self._named(symbol))
            if instrument is None:
                skipped.append(f"{symbol} is not known here")
                continue
            value = price_of(price)
            if value is None:
                skipped.append(f"{price!r} is no price of {symbol}")
                continue
            try:
                px = observed_quanta(value, instrument.price_decimals, field=symbol)
            except InputError as error:
                skipped.append(error.message)
            else:
                quotes.append(Quote(instrument.instrument_id, now_ns, px, source=Source.LAST))
        return quotes, skipped
