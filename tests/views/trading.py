"""Workspaces with a history, for views to look at: driven straight through the writer, no thread, no file."""

from __future__ import annotations

import random
from collections.abc import Iterable

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.domain.inputs import DefineInstrument, Input, OpenWorkspace, RequestCancel, ResetWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.market import Bar, Quote, Source
from surefill.domain.profile import V3, Profile
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import Journal, MemoryJournal
from surefill.rules.codes import FeeKind, FillMode, OrdType, TimeInForce
from surefill.units import NS_PER_S
from surefill.venues.paper import FeeRule, PaperSettings, PaperVenue

NOON_NS = 1_763_544_000 * NS_PER_S  # 2025-11-19 09:20:00 UTC, inside the Indian session
MONEY = 8
RUPEE = 10**MONEY
SYMBOLS = ("NIFTY24DECFUT", "BANKNIFTY24DECFUT", "RELIANCE")


def instrument(symbol: str = "NIFTY24DECFUT", lot: int = 1, calendar: str = "nse") -> Instrument:
    """Two price decimals, whole units, a tick of 0.05."""
    return Instrument(symbol, "INR", 2, 0, 10 ** (MONEY - 2), (Terms(tick=5, lot=lot),), calendar=calendar)


class Trading:
    """A paper workspace and its clock. Prices are in hundredths."""

    def __init__(
        self,
        journal: Journal | None = None,
        *,
        workspace_id: str = "main",
        profile: Profile = V3,
        settings: PaperSettings | None = None,
        symbols: Iterable[str] = SYMBOLS,
        lot: int = 1,
    ) -> None:
        self.journal = journal or MemoryJournal()
        self.writer = WorkspaceWriter(self.journal, workspace_id, PaperVenue(settings or PaperSettings()))
        self.workspace_id = workspace_id
        self.now_ns = NOON_NS
        self.stories = 0
        opening = OpenWorkspace(
            self.now_ns, workspace_id, "paper", "paper", "a", "INR", MONEY, 10**6 * RUPEE, profile, "hash"
        )
        self.feed(opening)
        for symbol in symbols:
            self.feed(DefineInstrument(self.now_ns, instrument(symbol, lot)))

    def tick(self, seconds: int = 1) -> int:
        self.now_ns += seconds * NS_PER_S
        return self.now_ns

    def feed(self, item: Input) -> None:
        self.writer.feed(item)
        self.writer.flush()

    def price(self, px: int, symbol: str = SYMBOLS[0]) -> None:
        self.feed(Quote(symbol, self.tick(), px, source=Source.LAST))

    def trade(self, side: int, qty: int, symbol: str = SYMBOLS[0], **terms: object) -> str:
        """Submit an intent; returns its story."""
        self.stories += 1
        story = str(terms.pop("correlation_id", f"story-{self.stories}"))
        fields: dict[str, object] = {
            "intent_id": "",
            "door": "test",
            "strategy_id": "EMA_20_50",
            "action": Action.TRADE,
        }
        fields |= {"context": {"exchange": "NFO", "product": "MIS", "tf": "5m"}}
        intent = Intent(
            correlation_id=story,
            instrument_id=symbol,
            side=side,
            order_qty=qty,
            **(fields | terms),  # type: ignore[arg-type]
        )
        self.writer.submit(SubmitIntent(self.tick(), intent))
        self.writer.flush()
        return story

    def events(self) -> list[Event]:
        return [codec.decode(record.payload) for record in self.journal.read(self.workspace_id)]


FEES = (FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=300_000), FeeRule(FeeKind.PER_ORDER, per_order=20 * RUPEE))


def at_random(chance: random.Random, steps: int, journal: Journal | None = None, after: object = None) -> Trading:
    """A workspace that all kinds of things have happened to; `after`, a callable, is called after every step."""
    settings = PaperSettings(
        fill_mode=chance.choice(list(FillMode)),
        slippage_ppb=chance.choice([0, 500_000]),
        partial_fills=chance.random() < 0.5,
        fees=FEES if chance.random() < 0.5 else (),
    )
    trading = Trading(journal, settings=settings)
    level = dict.fromkeys(SYMBOLS, 1_000_000)
    for _ in range(steps):
        _step(trading, chance, level)
        if callable(after):
            after(trading)
    return trading


def _step(trading: Trading, chance: random.Random, level: dict[str, int]) -> None:
    symbol = chance.choice(SYMBOLS)
    px = level[symbol] = max(1_000, level[symbol] + chance.randint(-3_000, 3_000))
    now_ns = trading.tick(chance.choice([1, 5, 3_600, 86_400]))
    match chance.choices(["quote", "bar", "trade", "cancel", "reset"], [40, 15, 40, 4, 1])[0]:
        case "quote":
            sizes = (chance.randint(1, 5), chance.randint(1, 5))
            trading.feed(Quote(symbol, now_ns, px, px - 5, px + 5, *sizes))
        case "bar":
            high, low = px + chance.randint(0, 3_000), max(1, px - chance.randint(0, 3_000))
            open_ns = now_ns - 300 * NS_PER_S
            end = chance.random() < 0.2
            trading.feed(Bar(symbol, open_ns, now_ns, px, high, low, px, is_session_end=end))
        case "trade":
            _trade(trading, chance, symbol, px)
        case "cancel":
            for cl_ord_id in list(trading.writer.state.book.orders)[:1]:
                trading.feed(RequestCancel(now_ns, cl_ord_id, "somebody"))
        case "reset":
            trading.feed(ResetWorkspace(now_ns, 10**6 * RUPEE, "somebody"))


def _trade(trading: Trading, chance: random.Random, symbol: str, px: int) -> None:
    side = chance.choice([1, -1])
    px -= px % 5
    kind = chance.choices([OrdType.MARKET, OrdType.LIMIT, OrdType.STOP], [6, 2, 1])[0]
    plan = None
    if chance.random() < 0.5:
        plan = ExitPlan(
            stop_px=px - side * 2_000,
            target_px=px + side * 2_000 if chance.random() < 0.5 else 0,
            trail_step_ppb=chance.choice([0, 500_000_000]),
            stop_partial_ppb=chance.choice([0, 500_000_000]),
            ladder=(LadderStep(px + side * 1_000, 500_000_000),) if chance.random() < 0.3 else (),
            time_stop_bars=chance.choice([0, 2]),
            end_of_day=chance.random() < 0.5,
        )
    trading.trade(
        side,
        chance.choice([0, 1, 1, 2, 5]),
        symbol,
        action=chance.choices([Action.TRADE, Action.CLOSE], [4, 1])[0],
        ord_type=kind,
        time_in_force=chance.choice([TimeInForce.DAY, TimeInForce.IOC]),
        px=px - side * chance.choice([0, 50, 500]) if kind == OrdType.LIMIT else 0,
        stop_px=px + side * 500 if kind == OrdType.STOP else 0,
        plan=plan,
        reason=chance.choice(["", "cross", "=cmd|' /C calc'!A0", "line\nbreak, comma"]),
        strategy_id=chance.choice(["EMA_20_50", "EMA_20_50", "OTHER"]),
    )
