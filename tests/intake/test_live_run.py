"""A live run: every price reaches the engine at once, bars come of them, and what a strategy wants is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from surefill.config import Settings, load_settings
from surefill.domain.inputs import SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Bar, Quote, Source
from surefill.engine.clock import VirtualClock
from surefill.errors import ConfigError, StrategyError
from surefill.intake.live_run import LiveRun, LiveSummary
from surefill.intake.session import Session
from surefill.intake.specs import specs_of
from surefill.rules.codes import OrdType, TimeInForce
from surefill.strategy import Decision, ExecutionSpec, MarketSnapshot, StrategyRegistry, StrategyRunner, load_spec
from surefill.strategy.decisions import Position
from surefill.units import NS_PER_S
from surefill.venues.protocol import Access, Balance, Capabilities, QuoteSink, ReportSink

MIN = 60 * NS_PER_S
T0 = 1_790_000_040 * NS_PER_S  # a whole minute
BTC = Instrument("BTC/USDT", "USDT", 2, 5, 10, (Terms(0, 1, 1),))


class Market:
    """The market of a dry run: it tells what is traded, and hands out the prices of a script.

    The clock of the run follows the prices; when they are used up, the run is stopped.
    """

    def __init__(self, clock: VirtualClock, prices: Iterable[tuple[int, int]], stop: threading.Event) -> None:
        self.capabilities = Capabilities("scripted", frozenset(OrdType), frozenset(TimeInForce))
        self.closed = False
        self._clock, self._prices, self._stop = clock, list(prices), stop

    async def access(self) -> Access:
        return Access("a", can_trade=True, can_withdraw=False)

    async def instruments(self) -> tuple[Instrument, ...]:
        return (BTC,)

    async def balances(self) -> tuple[Balance, ...]:
        return (Balance("USDT", Decimal(1_000), Decimal(1_000)),)

    async def connect(self, sink: ReportSink) -> None:
        pass

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        assert tuple(instrument_ids) == ("BTC/USDT",)
        for ts_ns, px in self._prices:
            self._clock.advance_to(ts_ns)
            sink(Quote("BTC/USDT", ts_ns, px, source=Source.LAST))

    async def close(self) -> None:
        self.closed = True


def _settings(folder: Path, **more: object) -> Settings:
    flags = {
        "journal.path": str(folder / "j"),
        "workspace": {"venue": "binance", "mode": "dry_run", "currency": "USDT", "money_decimals": 8},
        "feed": {"timeframe": "1m"},
        "execution": {"engine": "v3", "allow_negative_cash": True},
        "strategies": [
            {
                "entry": {"type": "sma_cross", "params": {"fast": 1, "slow": 2}},
                "exit": {"type": "stop_target", "stop_loss_pct": 1.0},
                "risk": {"dollars_per_trade": 1_000},
                "symbols": ["BTC/USDT"],
            }
        ],
        **more,
    }
    return load_settings(None, flags, {})


class Patient:
    """Buys far below the market, by a limit that stands for two bars."""

    name = "patient"

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        if position is None:
            yield Decision.open_long("cheap", px=50.0)


@pytest.mark.parametrize(
    ("by_hand", "expected"),
    [
        (False, [[], [], *[[("patient", 2)]] * 2, *[[("patient", 4)]] * 2]),
        (True, [[], *[[("somebody", 1)]] * 5]),
    ],
    ids=["its-own", "somebody-elses"],
)
def test_entry_that_waits_is_taken_back_after_its_bars_if_it_is_the_strategys_own(
    tmp_path: Path, by_hand: bool, expected: list[list[tuple[str, int]]]
) -> None:
    """Who has an order at the end of each bar, and from which minute it is."""
    entry = {"type": "patient", "good_for_bars": 2}
    strategy = {"entry": entry, "risk": {"dollars_per_trade": 1_000}, "symbols": ["BTC/USDT"]}
    settings, clock, stop = _settings(tmp_path, strategies=[strategy]), VirtualClock(T0), threading.Event()
    market = Market(VirtualClock(T0), [(T0 + at * MIN, 100_00) for at in range(8)], stop)
    registry = StrategyRegistry()
    registry.add(Patient())
    spec = load_spec({"workspace_id": settings.workspace.id, "timeframe": "1m", **strategy})
    standing: list[list[tuple[str, int]]] = []
    with Session.open(settings, clock=clock, market=market) as session:  # type: ignore[arg-type]

        def look(bar: Bar) -> None:
            clock.advance_to(bar.ts_ns)
            orders = session.read(lambda state: list(state.book.orders.values()))
            standing.append([(order.strategy_id, (order.created_ns - T0) // MIN) for order in orders])
            if by_hand and len(standing) == 1:
                order = Intent("h", "h", "intents", "somebody", "BTC/USDT", Action.OPEN, 1, 10, OrdType.LIMIT, px=40_00)
                session.feed(SubmitIntent(clock.now_ns(), order))
            if len(standing) == 6:
                stop.set()

        LiveRun(session, market, (spec,), "1m", runner=StrategyRunner(registry), stop=stop, on_bar=look).run()  # type: ignore[arg-type]
    assert standing == expected


def _ran(folder: Path, prices: list[tuple[int, int]]) -> tuple[LiveSummary, list[Bar], dict[str, int]]:
    settings, clock, stop, bars = _settings(folder), VirtualClock(T0), threading.Event(), list[Bar]()
    market = Market(clock, prices, stop)
    specs, runner = specs_of(settings, ["BTC/USDT"])
    with Session.open(settings, clock=clock, market=market) as session:  # type: ignore[arg-type]

        def count(bar: Bar) -> None:
            bars.append(bar)
            if bar.ts_ns >= prices[-1][0] // MIN * MIN:
                stop.set()

        summary = LiveRun(session, market, specs, "1m", runner=runner, stop=stop, on_bar=count).run()  # type: ignore[arg-type]
        held = session.read(lambda state: {key: position.qty for key, position in state.book.positions.items()})
    assert market.closed
    return summary, bars, held


def test_crossing_on_finished_bars_buys_at_the_next_price(tmp_path: Path) -> None:
    prices = [(T0, 100_00), (T0 + 30, 101_00), (T0 + MIN, 99_00), (T0 + 2 * MIN, 105_00), (T0 + 3 * MIN, 106_00)]
    summary, bars, held = _ran(tmp_path, prices)
    assert [(bar.open_px, bar.high_px, bar.low_px, bar.close_px) for bar in bars] == [
        (100_00, 101_00, 100_00, 101_00),
        (99_00, 99_00, 99_00, 99_00),
        (105_00, 105_00, 105_00, 105_00),
    ]
    assert (summary.bars, summary.intents) == (3, 1)
    assert held["BTC/USDT"] > 0


def test_stop_leaves_at_the_price_that_reaches_it_without_waiting_for_a_bar(tmp_path: Path) -> None:
    """The entry is decided at the end of the third bar; the stop is reached within the fourth."""
    entry = [(T0, 100_00), (T0 + MIN, 99_00), (T0 + 2 * MIN, 105_00), (T0 + 3 * MIN, 106_00)]
    _, _, held = _ran(tmp_path, [*entry, (T0 + 3 * MIN + 5, 90_00), (T0 + 4 * MIN, 90_00)])
    assert held.get("BTC/USDT", 0) == 0


def test_strategy_that_fails_is_paused_and_everything_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = [(T0, 100_00), (T0 + MIN, 99_00), (T0 + 2 * MIN, 105_00), (T0 + 3 * MIN, 106_00)]
    told: list[str] = []

    def fails(*_: object, **__: object) -> object:
        raise StrategyError("a defect of the strategy's")

    monkeypatch.setattr("surefill.strategy.runner.StrategyRunner.evaluate", fails)
    monkeypatch.setattr(
        "surefill.engine.engine.Engine.raise_alarm", lambda _self, _id, notice: told.append(notice.code)
    )
    summary, bars, held = _ran(tmp_path, entry)
    assert (len(bars), summary.intents, held) == (3, 0, {})
    assert summary.failed == {"sma_cross": "a defect of the strategy's"}
    assert set(told) == {"STRATEGY_FAILED"}


def test_symbol_that_the_venue_does_not_list_is_refused(tmp_path: Path) -> None:
    settings, clock = _settings(tmp_path), VirtualClock(T0)
    market = Market(clock, [], threading.Event())
    with (
        Session.open(settings, clock=clock, market=market) as session,  # type: ignore[arg-type]
        pytest.raises(ConfigError, match="ETH/USDT is not traded at binance"),
    ):
        session.ensure_instrument("ETH/USDT")
    assert market.closed


def test_paper_workspace_meets_no_real_venue(tmp_path: Path) -> None:
    settings = _settings(tmp_path, workspace={"venue": "paper", "mode": "paper"})
    market = Market(VirtualClock(T0), [], threading.Event())
    with pytest.raises(ConfigError, match="is paper: it meets no real venue"):
        Session.open(settings, market=market)  # type: ignore[arg-type]
    assert not (tmp_path / "j").exists()
