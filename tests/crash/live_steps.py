"""The table: where the engine is killed while an order lives at a real venue's protocol.

The story is a position's whole life: an entry with a stop and trailing, a price that moves the stop, a close. A step is
a moment of it; `STEPS` names every one, and at which venues it exists. docs/testing.md shows this table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

#: Venues by how they change a stop: in place, or by taking it back and placing another; or they keep none.
AMENDING: Final = ("kite", "mt5")
REPLACING: Final = ("binance", "binanceusdm")
KEEPING: Final = (*REPLACING, *AMENDING)
WATCHED: Final = ("mt5_hedging",)
ALL: Final = (*KEEPING, *WATCHED)
TITLES: Final = {
    "binance": "Binance spot",
    "binanceusdm": "Binance USD-M",
    "kite": "Kite",
    "mt5": "MT5, netting",
    "mt5_hedging": "MT5, hedging",
}

ENTER, MOVE, LEAVE, RECOVER = "enter", "move", "leave", "recover"
ENTRY, STOP, EXIT = "entry", "stop", "exit"


class Kill(NamedTuple):
    """When to die: the first time in `phase` that it comes to this.

    `how`: "before" or "after" the commit that has the event `what` of an order in this `role`; of a call `what` about
    it: "sent" (the venue has done it, nobody has read the answer), "late" (it lies on the way, and is done after the
    next start), "answered" (its answer has been read, and nothing of it written).
    """

    how: str
    what: str
    role: str
    phase: str


class Step(NamedTuple):
    """One row. `holds`: what the venue has at that moment, by role and in this order; None: that depends.

    `then`: a second kill, of the start after the first.
    """

    name: str
    says: str
    kill: Kill
    venues: tuple[str, ...] = ALL
    holds: str | None = None
    then: Kill | None = None


STEPS: Final = (
    Step("entry-decided", "entry decided, not committed", Kill("before", "OrderCreated", ENTRY, ENTER), holds=""),
    Step("entry-committed", "entry committed, no byte sent", Kill("after", "OrderCreated", ENTRY, ENTER), holds=""),
    Step("entry-sent", "entry sent, answer not read", Kill("sent", "submit", ENTRY, ENTER), holds="entry"),
    Step("entry-late", "entry sent, done after the start", Kill("late", "submit", ENTRY, ENTER), holds=""),
    Step("entry-answered", "entry answered, answer not committed", Kill("answered", "submit", ENTRY, ENTER)),
    Step("fill-told", "fill told, not committed", Kill("before", "OrderFilled", ENTRY, ENTER), holds="entry"),
    Step(
        "fill-committed", "fill committed, guarded from here", Kill("after", "OrderFilled", ENTRY, ENTER), WATCHED, "entry"
    ),
    Step(
        "stop-committed", "fill and stop committed, stop not sent", Kill("after", "OrderCreated", STOP, ENTER), KEEPING,
        "entry",
    ),
    Step("stop-sent", "stop sent, answer not read", Kill("sent", "submit", STOP, ENTER), KEEPING, "entry stop"),
    Step("stop-late", "stop sent, done after the start", Kill("late", "submit", STOP, ENTER), KEEPING, "entry"),
    Step("stop-answered", "stop answered, answer not committed", Kill("answered", "submit", STOP, ENTER), KEEPING),
    Step("stop-stands", "stop's answer committed", Kill("after", "OrderAccepted", STOP, ENTER), KEEPING, "entry stop"),
    Step("move-decided", "stop's move decided, not committed", Kill("before", "StopMoved", "", MOVE)),
    Step("move-committed", "stop's move committed, not sent", Kill("after", "StopMoved", "", MOVE)),
    Step("change-sent", "stop's change sent, answer not read", Kill("sent", "amend", STOP, MOVE), AMENDING),
    Step("change-late", "stop's change sent, done after the start", Kill("late", "amend", STOP, MOVE), AMENDING),
    Step("change-answered", "stop's change answered, not committed", Kill("answered", "amend", STOP, MOVE), AMENDING),
    Step("taken-sent", "old stop's cancel sent, answer not read", Kill("sent", "cancel", STOP, MOVE), REPLACING, "entry"),
    Step("taken-late", "old stop's cancel done after the start", Kill("late", "cancel", STOP, MOVE), REPLACING),
    Step("taken-answered", "old stop gone, not committed", Kill("answered", "cancel", STOP, MOVE), REPLACING, "entry"),
    Step("next-committed", "new stop committed, not sent", Kill("after", "OrderCreated", STOP, MOVE), REPLACING, "entry"),
    Step("next-sent", "new stop sent, answer not read", Kill("sent", "submit", STOP, MOVE), REPLACING, "entry stop"),
    Step("close-decided", "close decided, not committed", Kill("before", "OrderCreated", EXIT, LEAVE)),
    Step("close-committed", "close committed, nothing sent", Kill("after", "OrderCreated", EXIT, LEAVE)),
    Step("back-sent", "stop's cancel sent, answer not read", Kill("sent", "cancel", STOP, LEAVE), KEEPING, "entry"),
    Step("back-late", "stop's cancel done after the start", Kill("late", "cancel", STOP, LEAVE), KEEPING),
    Step("back-answered", "stop gone, not committed", Kill("answered", "cancel", STOP, LEAVE), KEEPING, "entry"),
    Step("exit-released", "stop gone, exit not sent", Kill("after", "OrderReleased", EXIT, LEAVE), KEEPING, "entry"),
    Step("exit-sent", "exit sent, answer not read", Kill("sent", "submit", EXIT, LEAVE), holds="entry exit"),
    Step("exit-late", "exit sent, done after the start", Kill("late", "submit", EXIT, LEAVE), holds="entry"),
    Step("exit-answered", "exit answered, answer not committed", Kill("answered", "submit", EXIT, LEAVE)),
    Step("exit-told", "exit's fill told, not committed", Kill("before", "OrderFilled", EXIT, LEAVE), holds="entry exit"),
    Step("flat", "exit's fill committed", Kill("after", "OrderFilled", EXIT, LEAVE), holds="entry exit"),
)
