"""Groups of executions that stand or fall together, told from the execution log alone.

Every leg says in its labels which group it belongs to, which leg it is and how many there are; whatever takes a leg
back says so too. A group is as filled as its least filled leg: from 99 % it is complete, from 90 % partly filled, and
below that it has failed, and so has one with a leg missing or under way. What a failed group has filled is to be taken
back, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from surefill.domain.refusals import RefusalCode
from surefill.views.execution_log import GROUP_ID
from surefill.views.execution_table import Stored
from surefill.views.execution_words import ExecutionStatus

LEG: Final = "group_leg"
SIZE: Final = "group_size"
KIND: Final = "group_kind"
IS_LEG: Final = "leg"
IS_ROLLBACK: Final = "rollback"

COMPLETE_FROM: Final = Fraction(99, 100)
PARTIAL_FROM: Final = Fraction(90, 100)


class GroupStanding(NamedTuple):
    """Where a group stands. `legs` and `rollbacks` are rows, by the number of their leg, oldest first.

    `to_take_back`: units by leg that a failed group still holds. `gone`: legs whose position was not there any more
    when they were to be taken back. `begun`: the engine let a leg in, so the group's id is used up.
    """

    group_id: str
    size: int
    legs: dict[int, Stored]
    rollbacks: dict[int, list[Stored]]
    fraction: Fraction
    status: ExecutionStatus
    to_take_back: dict[int, Fraction]
    gone: tuple[int, ...]
    begun: bool

    @property
    def failed(self) -> bool:
        """Whether it is neither complete nor partly filled."""
        return self.status not in (ExecutionStatus.FILLED, ExecutionStatus.PARTIALLY_FILLED)

    @property
    def under_way(self) -> list[Stored]:
        """Legs and what takes them back, as far as more may come of them."""
        rows = [*self.legs.values(), *(row for tries in self.rollbacks.values() for row in tries)]
        return [row for row in rows if not row.details["over"]]

    @property
    def settled(self) -> bool:
        """Whether it stands, or nothing of it is left."""
        return not self.failed or (not self.under_way and not self.to_take_back)


def group_of(row: Stored) -> str:
    """The group that an execution belongs to; empty for none."""
    return str(row.details["decision"].get(GROUP_ID, ""))


def filled_fraction(row: Stored) -> Fraction:
    """How much of an execution has filled, of what was intended."""
    intended = _units(row, "intended_units")
    return _units(row, "executed_units") / intended if intended else Fraction(0)


def standing_of_group(rows: Sequence[Stored]) -> GroupStanding | None:
    """Where a group stands, given the newest rows of its executions; None for no rows at all."""
    if not rows:
        return None
    oldest_first = sorted(rows, key=lambda row: row.seq)
    legs: dict[int, Stored] = {}
    rollbacks: dict[int, list[Stored]] = {}
    for row in oldest_first:
        number = int(row.details["decision"][LEG])
        if row.details["decision"][KIND] == IS_ROLLBACK:
            rollbacks.setdefault(number, []).append(row)
        else:
            legs[number] = row
    size = int(oldest_first[-1].details["decision"][SIZE])
    fraction = min(map(filled_fraction, legs.values()), default=Fraction(0))
    status = _status(legs.values(), size, fraction)
    failed = status not in (ExecutionStatus.FILLED, ExecutionStatus.PARTIALLY_FILLED)
    gone = tuple(number for number, tries in sorted(rollbacks.items()) if any(map(_found_nothing, tries)))
    held = {number: _held(row, rollbacks.get(number, ())) for number, row in legs.items() if number not in gone}
    return GroupStanding(
        group_of(oldest_first[-1]),
        size,
        dict(sorted(legs.items())),
        rollbacks,
        fraction,
        status,
        {number: units for number, units in held.items() if failed and units > 0},
        gone,
        any(row.cells["submission_timestamp"] for row in legs.values()),
    )


def _status(legs: Iterable[Stored], size: int, fraction: Fraction) -> ExecutionStatus:
    found = list(legs)
    if len(found) < size or not all(row.details["over"] for row in found):
        return ExecutionStatus.SUBMITTED
    if fraction < PARTIAL_FROM:
        return ExecutionStatus.REJECTED
    return ExecutionStatus.FILLED if fraction >= COMPLETE_FROM else ExecutionStatus.PARTIALLY_FILLED


def _found_nothing(rollback: Stored) -> bool:
    return bool(rollback.details["code"] == RefusalCode.NO_POSITION.name)


def _held(leg: Stored, rollbacks: Iterable[Stored]) -> Fraction:
    return _units(leg, "executed_units") - sum(_units(row, "executed_units") for row in rollbacks)


def _units(row: Stored, name: str) -> Fraction:
    return Fraction(row.cells[name] or 0)
