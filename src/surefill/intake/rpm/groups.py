"""Several legs that stand or fall together: executed one after the other, taken back when they do not all fill.

1. The gates are asked about all legs before the first is sent: if one of them would be refused now, none is sent.
2. Shorts come first, or legs by their priority. The first leg that fills to less than 90 % ends it: the others are not
   sent, and each is recorded as such.
3. A failed group is taken back: what still works is canceled, what has filled is closed by an order that can only
   reduce the position. Nothing is taken back twice: each try has a key of its own, and none is made while another is
   under way.
4. Where a group stands is told by the execution log alone (`views.execution_groups`). So whatever ended the process,
   the next start knows which groups were left in the middle, and takes them back. What cannot be taken back alerts.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from surefill.domain.inputs import RequestCancel
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, Intent
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError, SurefillError
from surefill.intake.open_door import OpenDoor
from surefill.intake.rpm.alerts import Alert
from surefill.intake.rpm.answers import confirmation_of
from surefill.intake.rpm.carrier import Carrier
from surefill.intake.rpm.messages import ExecutionConfirmation, ExecutionStatus, RejectionReason, RPMOutput
from surefill.intake.rpm.monitor import ExecutionMonitor
from surefill.intake.rpm.reading import read_output
from surefill.intake.rpm.translation import ENGINE_VERSION, STRATEGY, Terms, Translated
from surefill.units import NS_PER_S
from surefill.views.execution_groups import (
    IS_LEG,
    IS_ROLLBACK,
    KIND,
    LEG,
    PARTIAL_FROM,
    SIZE,
    GroupStanding,
    filled_fraction,
    standing_of_group,
)
from surefill.views.execution_log import DOOR, GROUP_ID
from surefill.views.execution_table import Stored
from surefill.views.execution_units import number as plain_number
from surefill.views.execution_units import quanta_of_units

SHORTS_FIRST: Final = "shorts_first"
BY_PRIORITY: Final = "priority"
GROUPS_LOOKED_AT: Final = 1_000  # at a start, the newest ones
GROUP_ID_MAX: Final = 60
PASSES: Final = 2


@dataclass
class GroupLeg:
    """A decision as a leg. With the order "priority" the lowest number goes first."""

    output: RPMOutput | Mapping[str, Any]
    priority: int = 0


@dataclass
class GroupConfirmation:
    """How a group ended. `filled_fraction` is that of its least filled leg.

    `status` FILLED (from 99 %), PARTIALLY_FILLED (from 90 %), REJECTED, or SUBMITTED while a leg is not known.
    `rolled_back`: nothing of a failed group is left.
    """

    group_id: str
    status: ExecutionStatus
    filled_fraction: float
    rolled_back: bool
    legs: list[ExecutionConfirmation] = field(default_factory=list)
    rollbacks: list[ExecutionConfirmation] = field(default_factory=list)
    rejection_reason: str | None = None
    rejection_details: str | None = None


class GroupRunner:
    """One group at a time. `tell` takes alerts; `terms` are those of what nobody asks for: of taking back."""

    def __init__(
        self,
        door: OpenDoor,
        monitor: ExecutionMonitor,
        carrier: Carrier,
        tell: Callable[[Alert], None],
        terms: Terms,
    ) -> None:
        self._door, self._monitor, self._carrier, self._tell, self._terms = door, monitor, carrier, tell, terms
        self._one_at_a_time = threading.Lock()
        self._left: set[str] = set()

    def standing(self, group_id: str) -> GroupStanding | None:
        """Where a group stands; None for one that is not known."""
        return standing_of_group(self._monitor.table.newest(group_id=group_id))

    def execute(self, group_id: str, legs: Sequence[GroupLeg], order: str, terms: Terms) -> GroupConfirmation:
        """Execute a group, or tell again how it ended. Raises InputError for one that makes no sense."""
        outputs = _ordered(group_id, legs, order)
        with self._one_at_a_time:
            before = self.standing(group_id)
            try:
                if before is None or not before.begun:
                    self._refuse_used(group_id, outputs)
                    self._run(group_id, outputs, terms)
                self._take_back(group_id)
            except SurefillError as error:
                self._interrupted(group_id, error)
                raise
            after = self.standing(group_id)
        assert after is not None  # every leg has a row now
        return confirmation_of_group(after)

    def settle(self, group_ids: Iterable[str]) -> list[GroupConfirmation]:
        """Take back what failed groups still hold; how those stand then."""
        found = []
        with self._one_at_a_time:
            for group_id in group_ids:
                self._take_back(group_id)
                after = self.standing(group_id)
                found += [confirmation_of_group(after)] if after is not None else []
        return found

    def unsettled(self) -> list[str]:
        """The groups that were left in the middle, of those that moved last."""
        ids = self._monitor.table.group_ids(GROUPS_LOOKED_AT)
        return [group_id for group_id in ids if (found := self.standing(group_id)) is not None and not found.settled]

    def take_up(self) -> None:
        """At the start: take back what was left in the middle, or say that it cannot be."""
        left: list[str] = []
        try:
            left = self.unsettled()
            self.settle(left)
        except SurefillError as error:
            for group_id in left:
                self._interrupted(group_id, error)

    def moved(self, group_id: str) -> None:
        """An execution of a group has ended: of one that could not be taken back, perhaps it now can be."""
        if group_id in self._left and self._one_at_a_time.acquire(blocking=False):
            try:
                self._take_back(group_id)
            finally:
                self._one_at_a_time.release()

    def _refuse_used(self, group_id: str, outputs: list[RPMOutput]) -> None:
        """No leg may be a decision that has been executed already, by itself or in another group."""
        for output in outputs:
            order_id = output.decision.order_id
            rows = self._monitor.table.newest(decision_id=order_id) if order_id else []
            if any(row.cells["submission_timestamp"] for row in rows):
                raise InputError(
                    f"decision {order_id} of group {group_id} has been executed already: nothing was sent",
                    code="INVALID_GROUP",
                )

    def _interrupted(self, group_id: str, error: SurefillError) -> None:
        standing = None
        with contextlib.suppress(SurefillError):
            standing = self.standing(group_id)
        if standing is None or not standing.settled:
            self._left.add(group_id)
            text = f"group {group_id} was left in the middle ({error.message}): the next start takes it back"
            self._tell(Alert("GROUP_NOT_ROLLED_BACK", text))

    # -- forward ----------------------------------------------------------------------------------------------

    def _run(self, group_id: str, outputs: list[RPMOutput], terms: Terms) -> None:
        read = [
            self._carrier.read(output, terms, _labels(group_id, number, len(outputs), IS_LEG))
            for number, output in enumerate(outputs, 1)
        ]
        read = [leg._replace(refusal=self._carrier.foresee(leg)) for leg in read]
        failed = next((number for number, leg in enumerate(read, 1) if leg.refusal is not None), 0)
        unsent = f"not sent: leg {failed} of group {group_id} cannot be executed"
        for number, leg in enumerate(read, 1):
            if failed and leg.refusal is None:
                leg = leg._replace(refusal=Refusal(RefusalCode.GROUP_FAILED, unsent))
            row = self._carrier.carry_out(leg)
            if not failed and filled_fraction(row) < PARTIAL_FROM:
                failed = number
                unsent = f"not sent: leg {failed} of group {group_id} is {row.cells['status']}"

    # -- and back ---------------------------------------------------------------------------------------------

    def _take_back(self, group_id: str) -> None:
        standing = self.standing(group_id)
        if standing is None or standing.settled:
            return
        for row in standing.legs.values():
            if not row.details["over"]:
                self._cancel(row)
        for _ in range(PASSES):  # the second finds what the first could not close, because it was not held any more
            standing = self.standing(group_id) or standing
            for number in sorted(standing.to_take_back, reverse=True):
                tries = standing.rollbacks.get(number, [])
                if all(row.details["over"] for row in (standing.legs[number], *tries)):
                    self._close(standing, number, len(tries) + 1)
        self._report(self.standing(group_id) or standing)

    def _cancel(self, row: Stored) -> None:
        names = [order["cl_ord_id"] for order in row.details["orders"]]
        now_ns = self._door.now_ns()
        self._door.feed([RequestCancel(now_ns, name, "group rollback") for name in names])
        self._monitor.wait(str(row.cells["execution_id"]), self._carrier.patience(_NO_INTENT))

    def _close(self, standing: GroupStanding, number: int, attempt: int) -> None:
        """Close what a leg has filled, as far as the position still has it. Never opens anything."""
        leg = standing.legs[number]
        symbol, direction = str(leg.cells["symbol"]), int(leg.cells["direction"] or 0)
        instrument, money_decimals = self._instrument(symbol)
        filled = quanta_of_units(standing.to_take_back[number], instrument, money_decimals)
        assert filled  # it came out of a quantity
        # Of what is not held any more the engine says so, and it is recorded: the position's own exit was faster, or
        # the leg had only reduced another.
        qty = min(filled, max(0, direction * self._door.held_qty(symbol))) or filled
        units = standing.to_take_back[number] * Fraction(qty, filled)
        key = f"{standing.group_id}|rollback|{number}|{attempt}"
        intent = Intent(
            intent_id=key,
            correlation_id=self._door.new_story(),
            door=DOOR,
            strategy_id=STRATEGY,
            instrument_id=symbol,
            action=Action.CLOSE,
            side=-direction,
            order_qty=qty,
            reason=f"group {standing.group_id} failed",
            timeout_ns=int(Fraction(str(self._terms.timeout_seconds)) * NS_PER_S),
            context={
                **_labels(standing.group_id, number, standing.size, IS_ROLLBACK),
                "decision_id": key,
                "decision_status": "ROLLBACK",
                "position_units": str(plain_number(units)),
                "symbol": symbol,
                "direction": str(-direction),
                "max_slippage_pips": str(self._terms.max_slippage_pips),
                "timeout_seconds": str(self._terms.timeout_seconds),
                "execution_engine_version": ENGINE_VERSION,
            },
        )
        self._carrier.carry_out(Translated(intent, None))

    def _instrument(self, symbol: str) -> tuple[Instrument, int]:
        return self._door.session.read(lambda state: (state.book.instruments[symbol], state.book.money_decimals))

    def _report(self, standing: GroupStanding) -> None:
        name = standing.group_id
        if standing.settled:
            self._left.discard(name)
            if standing.gone:
                legs = ", ".join(str(number) for number in standing.gone)
                told = f"the position of leg {legs} was not there any more: see whether that is as it should be"
                self._tell(Alert("GROUP_NOT_ROLLED_BACK", f"group {name} failed, and {told}"))
            elif standing.failed:
                self._tell(Alert("GROUP_ROLLED_BACK", f"group {name} did not fill and was taken back"))
            return
        self._left.add(name)
        held = ", ".join(
            f"{plain_number(units)} {standing.legs[number].cells['symbol']}"
            for number, units in standing.to_take_back.items()
        )
        told = f"{len(standing.under_way)} of its executions are under way; {held or 'nothing'} of it has filled"
        self._tell(
            Alert("GROUP_NOT_ROLLED_BACK", f"group {name} failed and could not be taken back: {told}; look at it")
        )


_NO_INTENT: Final = Intent("", "", DOOR, STRATEGY, "", Action.CLOSE, 0, 0)


def _ordered(group_id: str, legs: Sequence[GroupLeg], order: str) -> list[RPMOutput]:
    if not 0 < len(group_id.strip()) <= GROUP_ID_MAX:
        raise InputError(f"a group needs an id of 1 to {GROUP_ID_MAX} characters", code="INVALID_GROUP")
    if order not in (SHORTS_FIRST, BY_PRIORITY):
        raise InputError(f"order {order!r} is neither {SHORTS_FIRST} nor {BY_PRIORITY}", code="INVALID_GROUP")
    read = [(leg.priority, read_output(leg.output)) for leg in legs]
    ids = {output.decision.order_id for _, output in read}
    if len(read) < 2 or len(ids) < len(read):
        raise InputError("a group needs two legs or more, each with an order_id of its own", code="INVALID_GROUP")
    if order == BY_PRIORITY:
        return [output for _, output in sorted(read, key=lambda pair: pair[0])]
    return [output for _, output in sorted(read, key=lambda pair: not _is_short(pair[1]))]


def _is_short(output: RPMOutput) -> bool:
    trade = output.decision.approved_trade
    return trade is not None and trade.direction == -1


def _labels(group_id: str, number: int, size: int, kind: str) -> dict[str, str]:
    return {GROUP_ID: group_id, LEG: str(number), SIZE: str(size), KIND: kind}


def confirmation_of_group(standing: GroupStanding) -> GroupConfirmation:
    """What the caller gets back."""
    rollbacks = [row for tries in standing.rollbacks.values() for row in tries]
    reason = details = None
    if standing.failed:
        reason = RejectionReason.INSUFFICIENT_FILL
        told = [
            f"leg {number} {row.cells['status']}: {row.cells['rejection_details'] or row.cells['rejection_reason']}"
            for number, row in standing.legs.items()
            if filled_fraction(row) < PARTIAL_FROM and row.details["code"] != RefusalCode.GROUP_FAILED.name
        ]
        missing = standing.size - len(standing.legs)
        details = "; ".join(told + ([f"{missing} legs were never begun"] if missing else []))
    return GroupConfirmation(
        group_id=standing.group_id,
        status=standing.status,
        filled_fraction=float(standing.fraction),
        rolled_back=standing.failed and standing.settled and not standing.gone,
        legs=[confirmation_of(row) for row in standing.legs.values()],
        rollbacks=[confirmation_of(row) for row in sorted(rollbacks, key=lambda row: row.seq)],
        rejection_reason=reason,
        rejection_details=details,
    )
