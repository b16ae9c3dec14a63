"""The real venue's own prices of what a door trades: each goes to the engine at once, so that exits never wait.

They come beside whatever prices the caller shows, and are the market where the caller has no feed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from surefill.domain.market import Quote
from surefill.intake.caller_values import failure_text
from surefill.intake.session import Session
from surefill.logs import logger
from surefill.venues.protocol import LiveVenue

FIRST_PRICE_S: Final = 5.0

_log = logger("surefill.doors")


class VenuePrices:
    """The prices of one workspace. `follow` and `missing` block, and come from any thread but the engine's."""

    def __init__(self, session: Session, market: LiveVenue, first_price_s: float = FIRST_PRICE_S) -> None:
        self._session, self._market = session, market
        self._first_price_s = first_price_s
        self._came: dict[str, threading.Event] = {}
        self._problems: dict[str, str] = {}
        self._following = threading.Lock()

    def follow(self, instrument_ids: Iterable[str]) -> None:
        """Have the prices of these come from now on. Those that cannot be had are logged, and asked for again."""
        with self._following:
            for instrument_id in instrument_ids:
                if instrument_id not in self._came:
                    self._subscribe(instrument_id)

    def missing(self, instrument_id: str) -> str:
        """Why there is no price of it; "" once one has come. The first is waited for."""
        self.follow([instrument_id])
        came = self._came.get(instrument_id)
        if came is None:
            return self._problems[instrument_id]
        if came.wait(self._first_price_s):
            return ""
        return f"the venue has told no price of {instrument_id} within {self._first_price_s:g} s"

    def _subscribe(self, instrument_id: str) -> None:
        came = self._came[instrument_id] = threading.Event()
        try:
            self._session.engine.run(self._market.subscribe((instrument_id,), self._take))
        except Exception as error:  # whatever an adapter raises, it has told no price
            del self._came[instrument_id]
            self._problems[instrument_id] = problem = failure_text(error)
            _log.error("prices_not_to_be_had", instrument_id=instrument_id, error=problem)
        if self._session.read(lambda state: instrument_id in state.quotes):
            came.set()

    def _take(self, quote: Quote) -> None:
        self._session.engine.engine.tell(self._session.workspace_id, quote)
        came = self._came.get(quote.instrument_id)
        if came is not None:
            came.set()
