"""For any sequence of intents: the ledger is what its ORDER_FILLED events add up to, and cash never runs out."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.intake.intents_driving import paper_broker, trade

from surefill.domain.events import InstrumentDefined, OrderFilled, WorkspaceOpened, WorkspaceReset
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.profile import PAPER_LONG_ONLY
from surefill.intake.intents import PaperBroker, PaperState
from surefill.intake.intents.reconciliation import rebuild
from surefill.rules.codes import OrdStatus, PositionEffect

SYMBOLS = ("BTCUSDT", "ETHUSDT")

prices = st.decimals("0.0001", "2000", places=4)
quantities = st.one_of(st.decimals("0.00000001", "3", places=8), st.sampled_from([Decimal(1), Decimal("0.1")]))
long_only = st.lists(
    st.tuples(
        st.sampled_from(["OPEN_LONG", "OPEN_LONG", "CLOSE_LONG", "CLOSE_ALL", "RESET"]),
        st.sampled_from(SYMBOLS),
        quantities,
        prices,
        st.sampled_from([None, None, "stop", "target"]),
    ),
    max_size=25,
)
full = st.lists(
    st.tuples(
        st.sampled_from(["OPEN_LONG", "OPEN_SHORT", "SCALE_IN", "SCALE_OUT", "CLOSE_LONG", "CLOSE_SHORT", "CLOSE_ALL"]),
        st.sampled_from(SYMBOLS),
        quantities,
        prices,
        st.just(None),
    ),
    max_size=25,
)


def _drive(broker: PaperBroker, steps: list[tuple[str, str, Decimal, Decimal, str | None]]) -> None:
    for n, (action, symbol, quantity, price, plan) in enumerate(steps):
        if action == "RESET":
            broker.reset("main")
            continue
        amount = float(quantity)
        if action == "CLOSE_ALL":
            held = broker.positions("main").get(symbol)
            if held is None:
                continue
            action = "CLOSE_LONG" if held.quantity > 0 else "CLOSE_SHORT"
            amount = abs(held.quantity)
        away = float(round(price * (Decimal("0.9") if plan == "stop" else Decimal("1.1")), 4))
        intent = trade(
            f"i{n}",
            action,
            amount,
            symbol=symbol,
            stop_loss=away if plan == "stop" and action == "OPEN_LONG" else None,
            take_profit=away if plan == "target" and action == "OPEN_LONG" else None,
        )
        outcome = broker.execute(intent, str(price))
        assert outcome.http_status in (200, 400), outcome


def _folded(broker: PaperBroker) -> tuple[Fraction, Fraction, dict[str, tuple[Fraction, Fraction]]]:
    """Cash, realised profit and positions (quantity, cost) from ORDER_FILLED alone, in exact fractions of what the
    events say, by textbook average cost."""
    cash, realised = Fraction(10_000), Fraction(0)
    held: dict[str, tuple[Fraction, Fraction]] = {}
    for event in broker.events("main"):
        if event.event_type == "PAPER_RESET":
            cash, realised, held = Fraction(10_000), Fraction(0), {}
        if event.event_type != "ORDER_FILLED":
            continue
        quantity, price = (Fraction(repr(event.payload[name])) for name in ("quantity", "fill_price"))
        signed = quantity if event.payload["side"] == "BUY" else -quantity
        cash -= signed * price
        qty, cost = held.get(event.symbol, (Fraction(0), Fraction(0)))
        if qty * signed >= 0:
            cost += signed * price
        else:
            removed = cost * quantity / abs(qty)
            realised += -signed * price - removed
            cost -= removed
        held[event.symbol] = (qty + signed, cost)
    return cash, realised, {symbol: holding for symbol, holding in held.items() if holding[0]}


def _check(broker: PaperBroker, state: PaperState, tolerance: Fraction) -> None:
    cash, realised, held = _folded(broker)
    assert state.cash == float(cash)
    assert abs(Fraction(repr(state.realized_pnl)) - realised) <= tolerance
    assert {symbol: position.quantity for symbol, position in state.positions.items()} == {
        symbol: float(quantity) for symbol, (quantity, _) in held.items()
    }
    for symbol, (quantity, cost) in held.items():
        # Exact but for quanta is the cost, not the average: of a tiny rest one quantum of cost is a large share.
        kept = Fraction(repr(state.positions[symbol].avg_price)) * quantity
        assert abs(kept - cost) <= tolerance + abs(cost) / 10**12
    report = broker.reconcile("main")
    assert (report.matches, report.skipped) == (True, 0), report.differences


@settings(max_examples=60)
@given(long_only)
def test_long_only_ledger_equals_the_fold_of_order_filled(
    steps: list[tuple[str, str, Decimal, Decimal, str | None]],
) -> None:
    with paper_broker() as broker:
        _drive(broker, steps)
        state = broker.state("main")
        # Full closes divide nothing, so nothing is rounded: equal, not close.
        _check(broker, state, Fraction(0))
        assert state.cash >= 0
        assert all(position.quantity > 0 for position in state.positions.values())


#: One quantum of quantity is left of three that cost five quanta: its share, 5/3, is no whole number of quanta.
_UNEVEN = [
    ("OPEN_LONG", "BTCUSDT", Decimal("0.00000002"), Decimal("0.0001"), None),
    ("SCALE_IN", "BTCUSDT", Decimal("0.00000001"), Decimal("0.0003"), None),
    ("SCALE_OUT", "BTCUSDT", Decimal("0.00000002"), Decimal("0.0002"), None),
]


@settings(max_examples=40)
@given(full)
@example(_UNEVEN)
def test_full_ledger_equals_the_fold_of_order_filled(
    steps: list[tuple[str, str, Decimal, Decimal, str | None]],
) -> None:
    with paper_broker("paper_full") as broker:
        _drive(broker, steps)
        # A partial close leaves what it cannot split in the cost: less than one quantum of notional each time.
        _check(broker, broker.state("main"), Fraction(2 * len(steps), 10**12))


_FILL = OrderFilled(
    1, "c", 0, "cl-1", "order_1", "order_1.1", 1, 100_0000, 2_00000000, 0, 2_00000000, OrdStatus.FILLED, "BTCUSDT",
    PositionEffect.OPENED, 0, 0, 0, 0,
)  # fmt: skip
_OPENED = WorkspaceOpened(1, "", 0, "w", "paper", "paper", "main", "USD", 12, 10_000 * 10**12, PAPER_LONG_ONLY, "")
_DEFINED = InstrumentDefined(1, "", 0, Instrument("BTCUSDT", "USD", 4, 8, 1, (Terms(),)))


def test_rebuild_skips_an_execution_that_it_has_seen() -> None:
    ledger = rebuild([(1, _OPENED), (2, _DEFINED), (3, _FILL), (4, _FILL)])
    assert (ledger.read, ledger.applied, ledger.skipped) == (2, 1, 1)
    assert ledger.positions == {"BTCUSDT": (2_00000000, 200_0000 * 10**8)}
    assert ledger.cash == 9_800 * 10**12


def test_rebuild_counts_every_part_of_an_order() -> None:
    from msgspec.structs import replace

    parts = [replace(_FILL, exec_id=f"order_1.{n}", last_qty=1_00000000) for n in (1, 2)]
    ledger = rebuild([(1, _OPENED), (2, _DEFINED), (3, parts[0]), (4, parts[1])])
    assert (ledger.read, ledger.applied, ledger.skipped) == (2, 2, 0)
    assert ledger.cash == 9_800 * 10**12


def test_rebuild_begins_at_the_last_reset_and_sees_an_old_id_anew() -> None:
    reset = WorkspaceReset(1, "", 0, 500 * 10**12, "ada")
    ledger = rebuild([(1, _OPENED), (2, _DEFINED), (3, _FILL), (4, reset), (5, _FILL)])
    assert (ledger.from_seq, ledger.read, ledger.applied) == (4, 1, 1)
    assert (ledger.starting_cash, ledger.cash) == (500 * 10**12, 300 * 10**12)
