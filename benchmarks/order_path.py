"""What one MARKET intent costs on the paper venue: gates, order, fill, ledger, every event encoded and chained.

Profile v2 with all its gates, memory journal, one commit per intent. The floor is the least Python that could fill
an order: price with slippage, position and cash as integers, one object kept. Asserted: every order filled, the money
conserved to the last integer, the replayed state equal.

Then side by side with its peers, each round in turn: a run over market data without orders, the same with an order at
each step, the difference of their processor times over the number of orders (nobody waits for anything here, and what
else the machine does counts less than by the clock); over many orders and over few, because a cost may grow. The peers
are programs of their own in an environment of their own (`benchmarks/peers/setup`); without it they are not measured.

    python benchmarks/order_path.py [--intents 100000] [--rounds 5] [--paired 100000]
"""

from __future__ import annotations

import gc
import statistics
import time

import peer_programs as peers
from rows import Measured, Row, arguments, tell
from setting import MARKET, NIFTY, T0_NS, interleaved, market_intent, open_writer

from surefill.domain.market import Quote
from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus

US = 1e6
AIM = "order path"


def drive(writer: WorkspaceWriter, first: int, count: int, latencies: list[float]) -> float:
    """Processor microseconds per intent, submitted and committed one by one; `latencies` gets seconds by the clock."""
    clock = time.perf_counter
    begin = time.process_time()
    for number in range(first, first + count):
        before = clock()
        writer.submit(market_intent(number))
        (ticket,) = writer.flush()
        latencies.append(clock() - before)
        assert ticket.receipt is not None
        assert ticket.receipt.status == OrdStatus.FILLED
    return (time.process_time() - begin) / count * US


def floor(count: int) -> float:
    """Processor microseconds per order of the bare loop."""
    kept: list[tuple[int, int, int, int]] = []
    position = cost = cash = 0
    begin = time.process_time()
    for number in range(count):
        side = 1 if number % 2 == 0 else -1
        px = 1_950_000 + side * 975
        position += side
        cost += side * px
        cash -= side * px
        kept.append((number, side, px, cash))
    assert (len(kept), position, cost) == (count, count % 2, -cash)
    return (time.process_time() - begin) / count * US


def check(writer: WorkspaceWriter) -> None:
    """The money adds up and the journal gives the state back."""
    book = writer.state.book
    position = book.positions[NIFTY.instrument_id]
    open_cost = position.cost * NIFTY.money_per_notional
    assert book.cash + open_cost == book.starting_cash + book.realised - book.fees
    folded, _ = fold_journal(writer.journal, writer.workspace_id)
    assert folded.digest() == writer.state.digest()


def over_quotes(count: int, *, trading: bool) -> float:
    """Processor seconds over `count` quotes, with a MARKET intent on each or without."""
    writer = open_writer(MemoryJournal())
    quotes = [Quote(NIFTY.instrument_id, T0_NS + n, *_prices(n)) for n in range(count)]
    begin = time.process_time()
    for number, quote in enumerate(quotes):
        writer.feed(quote)
        if trading:
            writer.submit(market_intent(number))
        writer.flush()
    took = time.process_time() - begin
    if trading:
        assert writer.state.book.positions[NIFTY.instrument_id].qty == count % 2
        check(writer)
    return took


def _prices(number: int) -> tuple[int, int, int]:
    """Last, bid and ask, a tick up and down."""
    px = MARKET.last_px + number % 7 * 5
    return px, px - 5, px + 5


def marginal(count: int) -> float:
    """Microseconds that an order adds."""
    without = over_quotes(count, trading=False)
    return (over_quotes(count, trading=True) - without) / count * US


def alone(intents: int, rounds: int) -> list[Row]:
    """Cost, latency and growth over many intents; the multiple of the bare loop."""
    writer = open_writer(MemoryJournal())
    latencies: list[float] = []
    part = intents // 10
    parts = [drive(writer, n * part, part, latencies) for n in range(10)]
    check(writer)
    p50, growth = statistics.median(latencies) * US, parts[-1] / parts[0]
    del writer
    gc.collect()
    sample = min(intents, 20_000)
    ours, bare = interleaved(
        rounds, [lambda: drive(open_writer(MemoryJournal()), 0, sample, []), lambda: floor(sample)]
    )
    return [
        Row(AIM, "p50 of one MARKET intent", f"{p50:.1f} µs", target="≤ 30 µs", met=p50 <= 30),
        Row(
            AIM,
            f"the last tenth of {intents:,} intents, each",
            f"{parts[-1]:.1f} µs",
            f"the first tenth: {parts[0]:.1f} µs",
            f"{growth:.2f}",
            "≤ 1.1",
            growth <= 1.1,
        ),
        Row(AIM, "one MARKET intent", f"{ours:.1f} µs", f"bare Python loop {bare:.2f} µs", f"{ours / bare:.0f}"),
    ]


def paired(rounds: int, orders: int, *, judged: bool) -> Measured:
    """Ours and each peer's marginal cost, in rounds that take turns."""
    ours: list[float] = []
    theirs: dict[str, list[peers.Figures]] = {program: [] for program in peers.programs()}
    for _ in range(rounds):
        ours.append(marginal(orders))
        for program, figures in theirs.items():
            figures.append(peers.run(program, orders))
    mine, what = statistics.median(ours), f"a MARKET order, marginal over {orders:,}"
    rows, notes = [Row(AIM, what, f"{mine:.1f} µs", target="≤ 45 µs", met=mine <= 45)] if judged else [], []
    for program, figures in theirs.items():
        name, p50_of = f"{figures[0].name} {figures[0].version}", figures[0].p50_of
        cost = statistics.median(each.marginal_us for each in figures)
        p50 = statistics.median(each.p50_us for each in figures)
        ratio = statistics.median(us / each.marginal_us for us, each in zip(ours, figures, strict=True))
        row = Row(AIM, what, f"{mine:.1f} µs", f"{name}: {cost:.1f} µs", f"{ratio:.2f}")
        rows.append(row._replace(target="≤ 1", met=ratio <= 1) if judged and program == peers.NAUTILUS else row)
        if judged:
            notes.append(f"{name} ran on Python {figures[0].python}; p50 of one of its orders {p50:.1f} µs: {p50_of}.")
    return Measured(rows, notes or [f"Peers were not measured: {peers.WHY_NOT}."] if judged else [])


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--intents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--paired", type=int, default=100_000, help="orders per round beside the peers")
    options = parser.parse_args()
    many = paired(options.rounds, options.paired, judged=True)
    few = paired(options.rounds, options.paired // 20, judged=False)
    rows = [*many.rows, *few.rows, *alone(options.intents, options.rounds)]
    tell(Measured(rows, many.notes), as_json=options.json)


if __name__ == "__main__":
    main()
