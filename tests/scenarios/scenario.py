"""Scenarios as text: read into steps that any engine can play. The format is described in README.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from surefill.domain.intent import ExitPlan, LadderStep
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import PPB

FOLDER = Path(__file__).parent
MARKET = ("bar", "tick", "quote")
ORDERS = ("buy", "sell", "close")
FACTS = ("holds", "flat", "guarded", "unguarded", "realised")
OUTCOMES = ("+", "-", "refused", "expired", "canceled", "rejected")
SETTINGS = ("slippage", "spread", "fee", "target_first", "bid_ask", "sizes", "latency", "granularity")


@dataclass(frozen=True)
class Order:
    """An order of the story. Side 0: close; quantity 0: all of it."""

    side: int
    qty: int
    kind: OrdType = OrdType.MARKET
    px: int = 0
    stop_px: int = 0
    tif: TimeInForce = TimeInForce.GTC
    plan: ExitPlan | None = None


@dataclass(frozen=True)
class Step:
    """A line of the story (`name` and its `words`) and what must come of it."""

    number: int
    name: str
    words: tuple[str, ...]
    order: Order | None
    outcomes: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A story with its settings."""

    name: str
    title: str
    settings: dict[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


def scenarios() -> list[Scenario]:
    """All of them, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Scenario:
    """One file. Raises ValueError, naming the line, for what cannot be understood."""
    title, *lines = path.read_text().splitlines()
    settings: dict[str, str] = {}
    steps: list[Step] = []
    for number, line in enumerate(lines, 2):
        words = tuple(line.partition("#")[0].split())
        if not words:
            continue
        try:
            if line[0].isspace():
                steps[-1] = _expected(steps[-1], words)
            elif words[0] in SETTINGS:
                settings[words[0]] = words[1] if len(words) > 1 else "yes"
            else:
                steps.append(_step(number, words))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path.name}:{number}: {line!r}: {error}") from error
    return Scenario(path.stem, title, settings, tuple(steps))


def _step(number: int, words: tuple[str, ...]) -> Step:
    name, rest = words[0], words[1:]
    if name in ORDERS:
        return Step(number, name, rest, _order(name, rest))
    if name not in (*MARKET, "cancel", "restart"):
        raise ValueError(f"nobody knows what {name!r} is")
    return Step(number, name, rest, None)


def _expected(step: Step, words: tuple[str, ...]) -> Step:
    text = " ".join(words)
    if words[0] in FACTS:
        return Step(step.number, step.name, step.words, step.order, step.outcomes, (*step.facts, text))
    if words[0] in OUTCOMES:
        return Step(step.number, step.name, step.words, step.order, (*step.outcomes, text), step.facts)
    raise ValueError(f"nobody knows what {words[0]!r} is")


def fraction_ppb(text: str) -> int:
    """A fraction in parts per billion."""
    return round(float(text) * PPB)


_TIFS = {"day": TimeInForce.DAY, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}


def _order(name: str, words: tuple[str, ...]) -> Order:
    side = {"buy": 1, "sell": -1, "close": 0}[name]
    left = list(words)
    qty = int(left.pop(0)) if left and left[0].isdigit() else 0
    terms: dict[str, int] = {}
    tif, end_of_day = TimeInForce.GTC, False
    figures: dict[str, int] = {}
    ladder: tuple[LadderStep, ...] = ()
    while left:
        word = left.pop(0)
        match word:
            case "limit" | "stop":
                terms[word] = int(left.pop(0))
            case "day" | "ioc" | "fok":
                tif = _TIFS[word]
            case "eod":
                end_of_day = True
            case "sl" | "tp" | "trail" | "bars":
                figures[_PLAN[word]] = int(left.pop(0))
            case "trail_r" | "partial":
                figures[_PLAN[word]] = fraction_ppb(left.pop(0))
            case "ladder":
                pairs = (pair.split(":") for pair in left.pop(0).split(","))
                ladder = tuple(LadderStep(int(px), fraction_ppb(part)) for px, part in pairs)
            case _:
                raise ValueError(f"nobody knows what {word!r} of an order is")
    made = ExitPlan(**figures, ladder=ladder, end_of_day=end_of_day)
    kind = {(): OrdType.MARKET, ("limit",): OrdType.LIMIT, ("stop",): OrdType.STOP}.get(
        tuple(sorted(terms)), OrdType.STOP_LIMIT
    )
    return Order(side, qty, kind, terms.get("limit", 0), terms.get("stop", 0), tif, None if made.is_empty() else made)


_PLAN = {
    "sl": "stop_px",
    "tp": "target_px",
    "trail": "trail_distance",
    "bars": "time_stop_bars",
    "trail_r": "trail_step_ppb",
    "partial": "stop_partial_ppb",
}
