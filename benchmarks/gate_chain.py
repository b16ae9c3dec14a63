"""What the gates of a profile cost an intent: the question put together, and every gate of the profile asked.

The intent passes, so that all are asked. Each profile is measured as it is built in, then `v2` with its throttler and
guardian and the limits on order, position and exposure: about every control there is. Ten other positions are open,
because some gates look at all of them. The floor is a loop over as many functions that answer at once.
Asserted: every gate was asked and let the intent through.

    python benchmarks/gate_chain.py [--intents 20000] [--rounds 5]
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from rows import Measured, Row, arguments, tell
from setting import MARKET, NIFTY, RULES, T0_NS, interleaved

from surefill.domain.decide import step
from surefill.domain.events import EquityMarked, SessionSet
from surefill.domain.evolve import evolve
from surefill.domain.gates import Question, first_refusal
from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote
from surefill.domain.position import Position
from surefill.domain.profile import PIPELINE, RPM, V3, Profile
from surefill.domain.state import State

US = 1e6
AIM = "gate chain"
OTHERS = 10
MUCH = 2**60
FULL = msgspec.structs.replace(
    RULES,
    gates=(
        *("cap_total", "cap_symbol", "cap_strategy", "edge"),
        *RULES.gates,
        *("order_rate", "message_rate", "repeated_fills", "lots", "collar", "slippage", "drawdown", "equity_drop"),
        *("order_value", "basket", "position_limit", "exposure", "concentration", "margin", "cash"),
    ),
    limits=msgspec.structs.replace(
        RULES.limits,
        cap_total_max=10**9,
        cap_symbol_max=10**9,
        cap_strategy_max=10**9,
        order_value_max=MUCH,
        basket_value_max=MUCH,
        position_value_max=MUCH,
        exposure_value_max=MUCH,
        concentration_max_ppb=10**10,
    ),
)
PROFILES = {"v3": V3, "v2": RULES, "pipeline": PIPELINE, "rpm": RPM, "v2 with everything": FULL}


def workspace(rules: Profile) -> State:
    """A day under way: a workspace with positions, every one of them quoted."""
    state = State()
    step(state, OpenWorkspace(T0_NS, "w", "paper", "paper", "bench", "INR", 8, 10**17, rules, "bench"))
    calendar = NIFTY.calendar
    for name in {calendar, rules.calendar}:
        evolve(state, SessionSet(T0_NS, "", 0, name, "2026-11-27", T0_NS, 2**62, 10**17))
    evolve(state, EquityMarked(T0_NS, "", 0, 10**17))
    for number in range(OTHERS + 1):
        name = NIFTY.instrument_id if not number else f"S{number}"
        one = msgspec.structs.replace(NIFTY, instrument_id=name, margin_ppb=10**8, pip=5)
        step(state, DefineInstrument(T0_NS, one))
        step(state, msgspec.structs.replace(MARKET, instrument_id=name, ts_ns=T0_NS, bid_qty=500, ask_qty=500))
        if number:
            state.book.positions[name] = Position(name, qty=1, cost=MARKET.last_px, strategy_id="S1")
            state.keys_of[name] = [name]
    return state


def intent() -> Intent:
    """A purchase with a stop and a target, and the figures that gates ask for."""
    plan = ExitPlan(stop_px=1_930_000, target_px=1_990_005)
    figures = {"signal_strength": 10**9, "confluence": 5 * 10**9, "edge": 10_000, "regime_z": 0}
    return Intent(
        "k", "c", "orders", "S1", NIFTY.instrument_id, Action.TRADE, 1, 1, plan=plan, figures=figures, basket_id="b"
    )


def chain(rules: Profile, count: int) -> Callable[[], float]:
    """Processor microseconds for each intent."""
    limits = msgspec.structs.replace(rules.limits, open_positions_max=OTHERS + 1)
    rules = msgspec.structs.replace(rules, limits=limits)
    state, wish, gates = workspace(rules), intent(), rules.gates

    def work() -> float:
        begin = time.process_time()
        for number in range(count):
            refusal = first_refusal(Question(state, wish, T0_NS + 1 + number), gates)
            assert refusal is None, refusal
        return (time.process_time() - begin) / count * US

    return work


def floor(rules: Profile, count: int) -> Callable[[], float]:
    """Processor microseconds for a loop over as many functions that say nothing."""

    def nothing(_quote: Quote) -> None:
        return None

    asked = (nothing,) * len(rules.gates)

    def work() -> float:
        begin = time.process_time()
        for _ in range(count):
            for ask in asked:
                assert ask(MARKET) is None
        return (time.process_time() - begin) / count * US

    return work


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--intents", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for name, rules in PROFILES.items():
        works = (chain(rules, options.intents), floor(rules, options.intents))
        ours, bare = interleaved(options.rounds, works)
        what = f"{len(rules.gates)} gates of profile {name}, each intent"
        against = f"as many functions that answer at once: {bare:.2f} µs"
        rows.append(Row(AIM, what, f"{ours:.1f} µs", against, f"{ours / bare:.1f}"))
    tell(Measured(rows), as_json=options.json)


if __name__ == "__main__":
    main()
