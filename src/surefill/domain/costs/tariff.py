"""From a schedule to a flat table of integers: which rules hold for a segment, a side, a liquidity and a moment.

A table is all that a simulated fill or a compiled kernel needs: rows of `CostRule`, each handed to
`surefill.rules.fees.order_charge`. Dates and names are dealt with here.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from surefill.domain.costs.schedule import EQUITY, Component, CostSchedule, Liquidity, Rate
from surefill.errors import ConfigError
from surefill.rules.arithmetic import rate_floor
from surefill.rules.codes import FeeKind
from surefill.rules.fees import order_charge
from surefill.units import MONEY_MAX, PPB, QTY_MAX, rate_ppb_from_pct, to_quanta


class CostRule(msgspec.Struct, frozen=True, gc=False):
    """One component in integers; the fields are `order_charge`'s. Money in money quanta.

    `base`: the rows that an ON_CHARGES rule is levied on, as bits (bit 0 is the first row of the table).
    """

    kind: int
    rate_ppb: int = 0
    per_order: int = 0
    min_money: int = 0
    max_money: int = 0
    step: int = 1
    base: int = 0


class CostTable(msgspec.Struct, frozen=True):
    """The components that hold, row by row, and their names."""

    names: tuple[str, ...]
    rules: tuple[CostRule, ...]


def order_charges(rules: tuple[CostRule, ...], turnover_money: int, cum_qty: int) -> list[int]:
    """What each rule takes from an order that has traded so much so far."""
    charges: list[int] = []
    for rule in rules:
        base_money = sum(charge for row, charge in enumerate(charges) if rule.base >> row & 1)
        charges.append(
            order_charge(
                rule.kind,
                rule.rate_ppb,
                rule.per_order,
                rule.min_money,
                rule.max_money,
                rule.step,
                turnover_money,
                cum_qty,
                base_money,
            )
        )
    return charges


def fill_charge(rules: tuple[CostRule, ...], turnover_money: int, cum_qty: int, last_money: int, last_qty: int) -> int:
    """What one fill costs: the order's charges with it, less those without it.

    `turnover_money`, `cum_qty`: what the order had traded before. So the fills of an order pay together exactly what
    one fill would have, as long as the same rules hold for all of them. Where they change in between (a new rate at
    midnight, a rest that turns taker into maker) each fill pays by the rules of its own moment, and the sum is within
    one step of rounding a component.
    """
    after = sum(order_charges(rules, turnover_money + last_money, cum_qty + last_qty))
    return after - sum(order_charges(rules, turnover_money, cum_qty))


class Tariff:
    """A schedule at one account's money scale. Tables are made once and kept."""

    def __init__(self, schedule: CostSchedule, money_decimals: int) -> None:
        self.schedule = schedule
        self.money_decimals = money_decimals
        days = {rate.since for component in schedule.components for rate in component.rates}
        self.since_ns = schedule.day_ns(schedule.since)
        self.changes_ns = sorted({self.since_ns, *(schedule.day_ns(day) for day in days)})
        self._segments = frozenset(schedule.segments())
        self._made: dict[tuple[str, int, int, int, int], CostTable] = {}

    def unpriced(self, segment: str, ts_ns: int) -> str:
        """Why nothing can be charged for that segment at that time; "" if it can."""
        name = self.schedule.name
        if segment not in self._segments:
            known = ", ".join(self.schedule.segments())
            return f"the cost schedule {name} has no segment {segment!r}: say one of {known}"
        if ts_ns < self.since_ns:
            return f"the cost schedule {name} begins on {self.schedule.since}: the rates before it are not known"
        return ""

    def table(self, segment: str, qty_decimals: int, side: int, liquidity: int, ts_ns: int) -> CostTable:
        """The components charged there and then. Raises ConfigError where `unpriced` says something."""
        period = bisect_right(self.changes_ns, ts_ns)
        key = (segment, qty_decimals, side, liquidity, period)
        found = self._made.get(key)
        if found is None:
            wrong = self.unpriced(segment, ts_ns)
            if wrong:
                raise ConfigError(wrong, code="NO_COST_RATES", segment=segment)
            found = self._made[key] = self._make(segment, qty_decimals, side, liquidity, ts_ns)
        return found

    def _make(self, segment: str, qty_decimals: int, side: int, liquidity: int, ts_ns: int) -> CostTable:
        names: list[str] = []
        rules: list[CostRule] = []
        for component in self.schedule.components:
            rate = self._rate(component, ts_ns)
            if (
                rate is not None
                and component.segment == segment
                and component.side in (0, side)
                and component.liquidity in (Liquidity.ANY, liquidity)
            ):
                rules.append(self._rule(component, rate, qty_decimals, names))
                names.append(component.name)
        return CostTable(tuple(names), tuple(rules))

    def _rate(self, component: Component, ts_ns: int) -> Rate | None:
        """The rate in force; None before its first day."""
        found = None
        for rate in component.rates:
            if self.schedule.day_ns(rate.since) <= ts_ns:
                found = rate
        return found

    def _rule(self, component: Component, rate: Rate, qty_decimals: int, names: list[str]) -> CostRule:
        per_order = rate_ppb = 0
        if component.kind == FeeKind.PER_ORDER:
            per_order = self._money(rate.amount)
        elif component.kind == FeeKind.PER_UNIT:
            # Of one quantity quantum, rounded up: a commission for 100000 units is seldom whole money for one.
            units = to_quanta(rate.units, qty_decimals, field="units", max_quanta=QTY_MAX)
            rate_ppb = -(-self._money(rate.amount) * PPB // units)
            if rate_ppb > MONEY_MAX:
                raise ConfigError(
                    f"{component.name} of {rate.amount} for {rate.units} units is too large at {self.money_decimals}"
                    " money decimals; lower workspace.money_decimals",
                    code="COST_TOO_LARGE",
                )
        else:
            rate_ppb = rate_ppb_from_pct(rate.pct, "pct", allow_negative=True)
        discount = self.schedule.discount()
        if discount is not None:
            lowered_ppb = rate_ppb_from_pct(discount.pct, "discount")
            rate_ppb -= rate_floor(rate_ppb, lowered_ppb)
            per_order -= rate_floor(per_order, lowered_ppb)
        decimals = self.schedule.step_decimals
        return CostRule(
            kind=int(component.kind),
            rate_ppb=rate_ppb,
            per_order=per_order,
            min_money=self._money(rate.floor),
            max_money=self._money(rate.cap),
            step=1 if decimals is None else 10 ** max(0, self.money_decimals - decimals),
            base=sum(1 << row for row, name in enumerate(names) if name in rate.base),
        )

    def _money(self, amount: str) -> int:
        return to_quanta(amount or "0", self.money_decimals, field="amount", max_quanta=MONEY_MAX)


def priced_segments(schedule: CostSchedule) -> tuple[str, ...]:
    """What an instrument's segment may be under this schedule; the first, if it is the only one, needs no saying."""
    segments = schedule.segments()
    return (EQUITY, *segments) if any(each.startswith(EQUITY) for each in segments) else segments
