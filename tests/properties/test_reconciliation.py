"""One pass over the venue's account makes the books agree, whatever its stream lost; a second one writes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.core import Core, profile

from surefill.domain.account import AccountMove, MoveKind, WorkingOrder
from surefill.domain.codec import encode
from surefill.domain.events import Event, Halted, PositionsCompared
from surefill.domain.inputs import CompareExecutions, CompareOrders, ComparePositions, MoveAccount, VenueReports
from surefill.domain.limits import Limits
from surefill.domain.reports import ExecType, VenueReport
from surefill.journal import Batch, MemoryJournal
from surefill.testing.invariants import check_journal

RULES = profile(limits=Limits(allow_negative_cash=True, external_halts=False))

executions = st.lists(
    st.tuples(
        st.booleans(),  # of our order
        st.sampled_from(["X", "Y"]),
        st.sampled_from([1, -1]),
        st.integers(1, 30),
        st.integers(0, 2),  # how often the stream tells of it
        st.booleans(),  # under our id, or the venue's alone
    ),
    max_size=12,
)
working = st.lists(st.tuples(st.sampled_from(["X", "Y"]), st.sampled_from([1, -1]), st.integers(1, 50)), max_size=4)
moves = st.lists(st.tuples(st.sampled_from([MoveKind.FUNDING, MoveKind.DEPOSIT]), st.integers(-9, 9)), max_size=4)


class Account:
    """What the venue knows, and one pass over it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.history: list[VenueReport] = []
        self.listed: list[WorkingOrder] = []
        self.moves: list[AccountMove] = []
        self.held: dict[str, int] = {}

    def one_pass(self) -> list[list[Event]]:
        core = self.core
        inputs: list[Any] = [
            CompareExecutions(core.tick(), tuple(self.history)),
            MoveAccount(core.tick(), tuple(self.moves)),
            CompareOrders(core.tick(), core.now_ns, tuple(self.listed)),
            ComparePositions(core.tick(), self.held),
        ]
        return [core.feed(item) for item in inputs]


@settings(deadline=None)
@given(executions, working, moves, st.randoms(use_true_random=False))
def test_one_pass_makes_the_books_agree_and_a_second_changes_nothing(
    traded: list[Any], works: list[Any], moved: list[Any], chance: Any
) -> None:
    core = Core(RULES, cash=10**15)
    core.quote(1_000, "Y")
    account = Account(core)
    ours = {}
    for name, side in (("X", 1), ("X", -1), ("Y", 1), ("Y", -1)):
        order = core.order(side, 1_000, instrument_id=name, px=1_000)
        core.report(order, ExecType.NEW, order_id=f"R-{name}{side}")
        ours[name, side] = order
    told: list[VenueReport] = []
    for n, (own, name, side, qty, times, named) in enumerate(traded):
        order = ours[name, side]
        fields = {"instrument_id": name, "side": side, "last_px": 1_000 + n, "last_qty": qty, "transact_ns": n + 1}
        who = (order.request.cl_ord_id if named else "", order.order_id) if own else ("", f"H-{n}")
        report = VenueReport(who[0], ExecType.TRADE, who[1], f"E-{n}", **fields)
        account.history.append(report)
        told += [report] * times
        account.held[name] = account.held.get(name, 0) + side * qty
    chance.shuffle(told)
    for report in told:
        core.feed(VenueReports(core.tick(), (report,)))
    for n, (name, side, qty) in enumerate(works):
        account.listed.append(WorkingOrder(f"W-{n}", "", name, "", side, qty, 0, 990))
    for order in ours.values():
        request, filled = order.request, sum(r.last_qty for r in account.history if r.order_id == order.order_id)
        account.listed.append(
            WorkingOrder(
                order.order_id, request.cl_ord_id, request.instrument_id, "", request.side, request.order_qty, filled
            )
        )
    account.moves += [
        AccountMove(kind, f"M-{n}", "X" if kind == MoveKind.FUNDING else "", amount=amount)
        for n, (kind, amount) in enumerate(moved)
    ]

    *_, compared = account.one_pass()
    assert compared == [PositionsCompared(core.now_ns, "", 0, {})]
    assert len(core.state.book.external_orders) == len(works)
    assert not [event for event in core.journal if isinstance(event, Halted)]

    digest = core.state.digest()
    *before, compared = account.one_pass()
    assert before == [[], [], []]
    assert core.effects == []
    core.state.book.seq -= len(compared)
    assert core.state.digest() == digest
    core.state.book.seq += len(compared)

    journal = MemoryJournal()
    assert journal.append([Batch(journal.open_stream("w"), [encode(event) for event in core.journal])]) == [None]
    assert check_journal(journal, "w") == []
