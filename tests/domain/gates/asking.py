"""One gate, asked alone: what stands before it, what comes, and what it says.

A row of a table is a `Case`. What is held is bought before the gate is switched on, so that every gate can be seen to
let an exit out of what it would not let in.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from tests.domain.core import MONEY_PER_NOTIONAL, Core, profile

from surefill.domain.events import IntentAccepted, IntentRefused
from surefill.domain.inputs import DefineInstrument, SetProfile, SetSession
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.refusals import RefusalCode
from surefill.units import NS_PER_DAY

UNIT = MONEY_PER_NOTIONAL  # one euro: the money of one piece at a price of 1
CASH = 100_000 * UNIT


class Kind(enum.Enum):
    """What a row shows."""

    PASSES = "passes"
    BLOCKS = "blocks"
    MISSING = "blocks for want of what it judges by"
    LIMIT = "at the limit to the unit"
    EXIT = "lets an exit through"


class Case(NamedTuple):
    """One intent before one gate. Without a code it is let through; a refusal says its `figures`.

    `held` pieces of X are held at 1000 before the gate is switched on, `before` is played after it. `fields` change an
    order to buy 10 pieces of X at the market, which is at 1000. `day`: a trading day is on.
    """

    kind: Kind
    code: RefusalCode | None = None
    figures: tuple[str, ...] = ()
    fields: Mapping[str, Any] = {}
    limits: Mapping[str, Any] = {}
    held: int = 0
    before: Callable[[Core], object] | None = None
    rules: Mapping[str, Any] = {}
    cash: int = CASH
    day: bool = True


def check(gate: str, case: Case) -> None:
    """The gate says what the row says."""
    code, reason = answer(world(gate, case), **case.fields)
    assert code == case.code, reason
    assert [figure for figure in case.figures if figure not in reason] == [], reason
    if case.kind in (Kind.PASSES, Kind.EXIT):
        assert code is None
    if case.kind in (Kind.BLOCKS, Kind.MISSING):
        assert code is not None
    if case.kind is Kind.BLOCKS:
        assert case.figures, "a refusal says its figures"


def check_entry_is_held(gate: str, case: Case) -> None:
    """Where the row lets an exit through, an entry of the same size is not."""
    qty = case.fields.get("qty") or abs(case.held)
    side = 1 if case.held > 0 else -1
    code, _ = answer(world(gate, case), **{**case.fields, "action": Action.TRADE, "side": side, "qty": qty})
    assert code is not None, "the exit was not let through for being one"


def world(gate: str, case: Case) -> Core:
    """A workspace in which the gate is the only one."""
    limits = Limits(**{"allow_negative_cash": True, **case.limits})
    core = Core(profile("instrument", limits=limits), cash=case.cash)
    if case.day:
        core.feed(SetSession(core.now_ns, "24x7", "d1", 0, NS_PER_DAY))
    if case.held:
        core.hold(1 if case.held > 0 else -1, abs(case.held))
    core.feed(SetProfile(core.tick(), profile(gate, limits=limits, **case.rules), "gate on"))
    if case.before is not None:
        case.before(core)
    return core


def answer(
    core: Core, action: int = Action.TRADE, side: int = 1, qty: int = 10, **fields: Any
) -> tuple[RefusalCode | None, str]:
    """What an intent meets: a code and its reason, or neither."""
    core.submit(core.intent(Action(action) if action in tuple(Action) else action, side, qty, **fields))  # type: ignore[arg-type]
    refused = core.all(IntentRefused)
    if not refused:
        core.only(IntentAccepted)
        return None, ""
    assert core.effects == [] or all(type(effect).__name__ == "Notify" for effect in core.effects)
    return RefusalCode(refused[0].code), refused[0].reason


# -- what tables play before the gate -------------------------------------------------------------------------


def unquoted(core: Core) -> None:
    """No price of anything is known."""
    core.state.quotes.clear()


def unpriced_y(core: Core) -> None:
    """Something is held that has no price."""
    hold_y(10)(core)
    del core.state.quotes["Y"]


def quoted(**fields: int) -> Callable[[Core], object]:
    """Another market in X."""
    return lambda core: core.feed(Quote("X", core.tick(), **fields))


def defined(**changes: Any) -> Callable[[Core], object]:
    """X with other properties."""
    return lambda core: core.feed(
        DefineInstrument(core.tick(), msgspec.structs.replace(core.state.book.instruments["X"], **changes))
    )


def hold_y(qty: int, px: int = 1000) -> Callable[[Core], object]:
    """So much of Y is held as well, whatever the gate says to it."""

    def play(core: Core) -> None:
        core.quote(px, "Y")
        rules = core.state.book.profile
        core.feed(SetProfile(core.tick(), profile("instrument", limits=rules.limits), "gate off"))
        core.fill(core.order(1 if qty > 0 else -1, abs(qty), instrument_id="Y"), abs(qty), px)
        core.feed(SetProfile(core.tick(), rules, "gate on"))

    return play


def both(*plays: Callable[[Core], object]) -> Callable[[Core], object]:
    """One after the other."""

    def play(core: Core) -> None:
        for each in plays:
            each(core)

    return play
