"""Four disasters of order entry, replayed: which gate stops each, and what gets through before it does.

`python -m surefill.testing.incidents` runs them through the engine's writer on the paper venue, against one set of
limits such as a small house would have (`LIMITS`), and prints the table of docs/incidents.md (`--markdown`: as it
stands there). The figures of what happened are from the public record:

- Knight Capital, 1 August 2012 (SEC release 34-70694): over 4 million executions in 154 stocks in about 45 minutes,
  made from 212 small orders of customers; more than 460 million dollars lost. Replayed: ten seconds of that rate.
- Citigroup, 2 May 2022 (FCA final notice of 22 May 2024): a basket of 58 million dollars entered as one of 444 billion,
  of which the firm's own controls held back 255; 1.4 billion sold. Replayed: the basket in orders of 5 million.
- Everbright Securities, 16 August 2013 (decision of the CSRC): 26,082 orders in two seconds, worth 23.4 billion yuan;
  7.27 billion of them traded.
- Mizuho Securities, 8 December 2005 (J-Com): one share for 610,000 yen entered as 610,000 shares for 1 yen each; some
  40 billion yen lost. The price quoted here is that of its first trading day, 672,000.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from surefill.domain.codec import decode
from surefill.domain.events import IntentRefused, OrderFilled
from surefill.domain.inputs import DefineInstrument, OpenWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote
from surefill.domain.profile import V2
from surefill.domain.refusals import RefusalCode
from surefill.engine.writer import WorkspaceWriter
from surefill.journal.memory import MemoryJournal
from surefill.rules.codes import OrdType
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.paper import PaperVenue

START_NS: Final = 1_764_576_000_000_000_000  # 2025-12-01T08:00:00Z
MILLION: Final = 1_000_000
GATES: Final = (
    *("collar", "order_value", "basket", "message_rate", "repeated_fills"),
    *("position_limit", "exposure", "reject_streak"),
)
LIMITS: Final = msgspec.structs.replace(
    V2.limits,
    daily_loss_max=MILLION,
    order_value_max=6 * MILLION,
    basket_value_max=60 * MILLION,
    position_value_max=30 * MILLION,
    exposure_value_max=100 * MILLION,
)
RULES: Final = msgspec.structs.replace(V2, gates=(*V2.gates, *GATES), limits=LIMITS)


class Incident(NamedTuple):
    """`happened` is what the record says; `orders` what came: (ns after the start, symbol, side, qty, limit price)."""

    name: str
    happened: str
    replayed: str
    currency: str
    prices: dict[str, int]
    orders: Callable[[], Iterator[tuple[int, str, int, int, int]]]
    basket: str = ""


class Outcome(NamedTuple):
    """What became of it: orders that came and that traded, their value, and what stopped the rest, how often."""

    incident: Incident
    came: int
    traded: int
    came_value: int
    traded_value: int
    stopped_by: tuple[tuple[str, int], ...]
    first_reason: str


def _knight() -> Iterator[tuple[int, str, int, int, int]]:
    for number in range(15_000):  # 4 million in 45 minutes are 1500 a second
        yield number * NS_PER_S // 1500, f"S{number % 154}", 1, 100, 0


def _citi() -> Iterator[tuple[int, str, int, int, int]]:
    for number in range(5_000):  # of 88,800: nothing changes after these
        yield number * 200 * NS_PER_MS, f"S{number % 349}", -1, 50_000, 0


def _everbright() -> Iterator[tuple[int, str, int, int, int]]:
    for number in range(26_082):
        yield number * 2 * NS_PER_S // 26_082, f"S{number % 180}", 1, 89_717, 0


def _mizuho() -> Iterator[tuple[int, str, int, int, int]]:
    yield 0, "J-COM", -1, 610_000, 1


INCIDENTS: Final = (
    Incident(
        "Knight Capital, 2012",
        "4 million executions in 154 stocks, 45 minutes",
        "ten seconds of it: 15,000 orders of 100 shares",
        "USD",
        {f"S{number}": 30 for number in range(154)},
        _knight,
    ),
    Incident(
        "Citigroup, 2022",
        "a basket of 444 billion instead of 58 million; 1.4 billion sold",
        "its first 5,000 orders of 5 million each, five a second",
        "USD",
        {f"S{number}": 100 for number in range(349)},
        _citi,
        basket="fat finger",
    ),
    Incident(
        "Everbright, 2013",
        "26,082 orders in two seconds, 23.4 billion; 7.27 billion traded",
        "all of them",
        "CNY",
        {f"S{number}": 10 for number in range(180)},
        _everbright,
    ),
    Incident(
        "Mizuho, 2005",
        "610,000 shares for 1 yen instead of one for 610,000; 40 billion lost",
        "the order",
        "JPY",
        {"J-COM": 672_000},
        _mizuho,
    ),
)


def replay(incident: Incident) -> Outcome:
    """Send everything that came, and see what the gates let through."""
    writer = WorkspaceWriter(MemoryJournal(), "house", PaperVenue())
    opening = OpenWorkspace(
        START_NS, "house", "paper", "paper", "house", incident.currency, 0, 100 * MILLION, RULES, "incidents"
    )
    writer.feed(opening)
    for symbol, px in incident.prices.items():
        writer.feed(DefineInstrument(START_NS, Instrument(symbol, incident.currency, 0, 0, 1, (Terms(),))))
        writer.feed(Quote(symbol, START_NS, px))
    came = came_value = 0
    for after_ns, symbol, side, qty, px in incident.orders():
        came += 1
        came_value += qty * incident.prices[symbol]
        kind = OrdType.LIMIT if px else OrdType.MARKET
        intent = Intent(
            "", f"i{came}", "orders", "algo", symbol, Action.TRADE, side, qty, kind, px=px, basket_id=incident.basket
        )
        writer.submit(SubmitIntent(START_NS + 1 + after_ns, intent))
    writer.flush()
    events = [decode(record.payload) for record in writer.journal.read("house")]
    fills = [event for event in events if isinstance(event, OrderFilled)]
    refusals = [event for event in events if isinstance(event, IntentRefused)]
    codes = Counter(RefusalCode(event.code).name for event in refusals)
    traded_value = sum(event.last_px * event.last_qty for event in fills)
    reason = refusals[0].reason if refusals else ""
    return Outcome(incident, came, len(fills), came_value, traded_value, tuple(codes.most_common()), reason)


HEAD: Final = ("incident", "what happened", "replayed", "came", "traded", "stopped by", "the first no")


def rows(outcomes: list[Outcome]) -> list[tuple[str, ...]]:
    """The outcomes as text, under `HEAD`."""
    return [
        (
            each.incident.name,
            each.incident.happened,
            each.incident.replayed,
            f"{each.came:,} orders, {each.came_value / MILLION:,.1f} million {each.incident.currency}",
            f"{each.traded:,} orders, {each.traded_value / MILLION:,.2f} million",
            ", ".join(f"{code} {count:,}" for code, count in each.stopped_by),
            each.first_reason,
        )
        for each in outcomes
    ]


def markdown(outcomes: list[Outcome]) -> str:
    """The table of docs/incidents.md."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows(outcomes))])


def main(arguments: list[str]) -> None:
    """Replay all four and print the table."""
    outcomes = [replay(incident) for incident in INCIDENTS]
    if "--markdown" in arguments:
        print(markdown(outcomes))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEAD, show_lines=True)
    for row in rows(outcomes):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
