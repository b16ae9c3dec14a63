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
    """One row. `holds`: what the venue has at that moment, by role; None: that depends on who was quicker.

    `lost`: the request never left, and only the venue could say so. `then`: a second kill, of the start after it.
    """

    name: str
    says: str
    kill: Kill
    venues: tuple[str, ...] = ALL
    holds: str | None = None
    lost: bool = False
    then: Kill | None = None


def _entering() -> tuple[Step, ...]:
    def at(how: str, what: str, role: str = ENTRY) -> Kill:
        return Kill(how, what, role, ENTER)

    return (
        Step("entry-decided", "entry decided, not committed", at("before", "OrderCreated"), holds=""),
        Step("entry-committed", "entry committed, no byte sent", at("after", "OrderCreated"), holds="", lost=True),
        Step("entry-sent", "entry sent, answer not read", at("sent", "submit"), holds="entry"),
        Step("entry-late", "entry sent, done after the start", at("late", "submit"), holds=""),
        Step("entry-answered", "entry's answer read, not committed", at("answered", "submit")),
        Step("fill-told", "fill told, not committed", at("before", "OrderFilled"), holds="entry"),
        Step("fill-committed", "fill committed", at("after", "OrderFilled"), WATCHED, "entry"),
        Step(
            "stop-committed",
            "fill and stop committed, stop not sent",
            at("after", "OrderCreated", STOP),
            KEEPING,
            "entry",
            lost=True,
        ),
        Step("stop-sent", "stop sent, answer not read", at("sent", "submit", STOP), KEEPING, "entry stop"),
        Step("stop-late", "stop sent, done after the start", at("late", "submit", STOP), KEEPING, "entry"),
        Step(
            "stop-answered", "stop's answer read, not committed", at("answered", "submit", STOP), KEEPING, "entry stop"
        ),
        Step("stop-stands", "stop's answer committed", at("after", "OrderAccepted", STOP), KEEPING, "entry stop"),
    )


def _moving() -> tuple[Step, ...]:
    def at(how: str, what: str, role: str = STOP) -> Kill:
        return Kill(how, what, role, MOVE)

    there = "entry stop"
    return (
        Step("move-decided", "stop's move decided, not committed", at("before", "StopMoved", ""), KEEPING, there),
        Step("move-committed", "stop's move committed, nothing sent", at("after", "StopMoved", ""), KEEPING, there),
        Step("move-watched", "stop's move committed", at("after", "StopMoved", ""), WATCHED, "entry"),
        Step("change-sent", "its change sent, answer not read", at("sent", "amend"), AMENDING, there),
        Step("change-late", "its change sent, done after the start", at("late", "amend"), AMENDING, there),
        Step("change-answered", "its change's answer read, not committed", at("answered", "amend"), AMENDING, there),
        Step("taken-sent", "old stop's cancel sent, answer not read", at("sent", "cancel"), REPLACING, "entry"),
        Step("taken-late", "old stop's cancel sent, done after the start", at("late", "cancel"), REPLACING, there),
        Step(
            "taken-answered", "old stop's cancel answered, not committed", at("answered", "cancel"), REPLACING, "entry"
        ),
        Step(
            "next-committed", "new stop committed, not sent", at("after", "OrderCreated"), REPLACING, "entry", lost=True
        ),
        Step("next-sent", "new stop sent, answer not read", at("sent", "submit"), REPLACING, there),
    )


def _leaving() -> tuple[Step, ...]:
    def at(how: str, what: str, role: str = EXIT) -> Kill:
        return Kill(how, what, role, LEAVE)

    there = "entry stop"
    return (
        Step("close-decided", "close decided, not committed", at("before", "OrderCreated")),
        Step("close-committed", "close committed, nothing sent", at("after", "OrderCreated"), KEEPING, there),
        Step(
            "exit-committed", "close committed, exit not sent", at("after", "OrderCreated"), WATCHED, "entry", lost=True
        ),
        Step("back-sent", "stop's cancel sent, answer not read", at("sent", "cancel", STOP), KEEPING, "entry"),
        Step("back-late", "stop's cancel sent, done after the start", at("late", "cancel", STOP), KEEPING, there),
        Step(
            "back-answered", "stop's cancel answered, not committed", at("answered", "cancel", STOP), KEEPING, "entry"
        ),
        Step("exit-released", "stop gone, exit not sent", at("after", "OrderReleased"), KEEPING, "entry", lost=True),
        Step("exit-sent", "exit sent, answer not read", at("sent", "submit"), holds="entry exit"),
        Step("exit-late", "exit sent, done after the start", at("late", "submit"), holds="entry"),
        Step("exit-answered", "exit's answer read, not committed", at("answered", "submit"), holds="entry exit"),
        Step("exit-told", "exit's fill told, not committed", at("before", "OrderFilled"), holds="entry exit"),
        Step("flat", "exit's fill committed", at("after", "OrderFilled"), holds="entry exit"),
    )


def _starting(once: dict[str, Step]) -> Iterator[Step]:
    """The start after a kill is killed too."""

    def twice(
        first: str, says: str, how: str, what: str, role: str, venues: tuple[str, ...] = (), *, lost: bool = False
    ) -> Step:
        step = once[first]
        return step._replace(
            name=f"{first}, {how} {what} {role}".strip(),
            says=f"{step.says}; then {says}",
            venues=venues or step.venues,
            lost=lost or step.lost,
            then=Kill(how, what, role, RECOVER),
        )

    yield twice("entry-sent", "before the doubt is committed", "before", "OrderOutcomeUnknown", ENTRY)
    yield twice("entry-sent", "after it, before it is looked up", "after", "OrderOutcomeUnknown", ENTRY)
    yield twice("entry-sent", "looked up, not committed", "answered", "query", ENTRY)
    yield twice("entry-sent", "its stop committed, not sent", "after", "OrderCreated", STOP, KEEPING, lost=True)
    yield twice("entry-sent", "its stop sent, answer not read", "sent", "submit", STOP, KEEPING)
    yield twice("entry-sent", "positions told, not compared", "answered", "positions", "")
    yield twice("stop-sent", "looked up, not committed", "answered", "query", STOP)
    yield twice("move-committed", "the change sent again, answer not read", "sent", "amend", STOP, AMENDING)
    yield twice("move-committed", "the old stop's cancel sent, answer not read", "sent", "cancel", STOP, REPLACING)
    yield twice("back-sent", "the cancel sent again, answer not read", "sent", "cancel", STOP)
    yield twice("exit-sent", "looked up, not committed", "answered", "query", EXIT)
    yield twice("exit-released", "its doubt committed, before it is looked up", "after", "OrderOutcomeUnknown", EXIT)


ONCE: Final = (*_entering(), *_moving(), *_leaving())
STEPS: Final = (*ONCE, *_starting({step.name: step for step in ONCE}))


class End(NamedTuple):
    """What the restart comes to. `held`: the position is there, and guarded; else it is flat, and nothing works.

    `horizon`: the venue's silence was proof that an order never arrived. `person`: somebody was called, and said so.
    """

    held: bool
    horizon: bool = False
    person: bool = False


def end_of(step: Step, venue: str) -> End:
    """What the table promises of a step at a venue."""
    held = step.kill.phase != LEAVE
    if step.lost:
        held = step.name != "entry-committed"  # a lost exit leaves what it was to sell
    return End(held, step.lost and venue in REPLACING, step.lost and venue not in REPLACING)


def cell(step: Step, venue: str) -> str:
    """The same in a few words, for the page."""
    if venue not in step.venues:
        return "–"
    end = end_of(step, venue)
    words = ("watched here" if venue in WATCHED else "stop there") if end.held else "flat"
    return words + ("; horizon" if end.horizon else "; person" if end.person else "")
