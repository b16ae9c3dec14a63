"""What is odd in quotes that are each sound."""

from __future__ import annotations

from surefill.domain.market import Quote
from surefill.market.checking.findings import Findings
from surefill.market.checking.watch import is_jump
from surefill.units import quanta_text


class QuoteWatch:
    """Looks at the quotes of one file, in order."""

    def __init__(self, findings: Findings, price_decimals: int) -> None:
        self.rows = self.jumps = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._findings = findings
        self._decimals = price_decimals
        self._latest_px = 0

    def quote(self, line: int, quote: Quote) -> None:
        """Look at the next one, of that line."""
        self.rows += 1
        if self.first_ns is None:
            self.first_ns = quote.ts_ns
        self.last_ns = quote.ts_ns
        if quote.bid_px and quote.ask_px and quote.bid_px > quote.ask_px:
            bid, ask = quanta_text(quote.bid_px, self._decimals), quanta_text(quote.ask_px, self._decimals)
            self._findings.warn("CROSSED", f"line {line}: the bid {bid} is above the ask {ask}", line)
        price = quote.bid_px or quote.ask_px or quote.last_px
        before, self._latest_px = self._latest_px, price
        if before and is_jump(before, price):
            self._jump(line, before, price)

    def _jump(self, line: int, before: int, price: int) -> None:
        self.jumps += 1
        was, now = quanta_text(before, self._decimals), quanta_text(price, self._decimals)
        self._findings.warn("JUMP", f"line {line}: the price goes from {was} to {now} between two quotes", line)
