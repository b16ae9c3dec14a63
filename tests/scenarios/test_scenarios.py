"""Every scenario, played by the engine: its writer, the paper venue, a journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scenarios.scenario import MARKET, Order, Scenario, Step, fraction_ppb, read, scenarios

from surefill.domain import events as e
from surefill.domain.inputs import DefineInstrument, OpenWorkspace, RequestCancel, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.profile import BASIC_GATES, Profile
from surefill.domain.refusals import RefusalCode
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.rules.codes import ExitReason, FeeKind, FillMode
from surefill.testing.invariants import check_book, check_journal
from surefill.venues.paper import FeeRule, PaperSettings, PaperVenue

MOMENT = 1_000
ALL = scenarios()


class Play:
    """The engine playing one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.journal = MemoryJournal()
        self.now_ns = MOMENT
        self.created: dict[str, e.OrderCreated] = {}
        self.told: list[str] = []
        self.writer = self._writer()
        self.writer.feed(OpenWorkspace(1, "w", "backtest", "paper", "a", "EUR", 2, 0, self._profile(), ""))
        self.writer.feed(DefineInstrument(2, Instrument("X", "EUR", 0, 0, 1, (Terms(0, 1, 10),))))
        self.waiting: list[Order] = []

    def _profile(self) -> Profile:
        granularity = int(self.scenario.settings.get("granularity", "1"))
        limits = Limits(stop_granularity=granularity, target_first_on_bar="target_first" in self.scenario.settings)
        return Profile("scenario", (*BASIC_GATES, "plan", "position"), limits=limits)

    def _writer(self) -> WorkspaceWriter:
        given = self.scenario.settings
        fees = (FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=fraction_ppb(given["fee"])),) if "fee" in given else ()
        settings = PaperSettings(
            FillMode.BID_ASK if "bid_ask" in given else FillMode.LTP,
            fraction_ppb(given.get("spread", "0")),
            fraction_ppb(given.get("slippage", "0")),
            "sizes" in given,
            int(given.get("latency", "0")) * MOMENT,
            fees,
        )
        made = WorkspaceWriter(self.journal, "w", PaperVenue(settings))
        made.subscribers.append(self._publish)
        return made

    def _publish(self, _first: int, events: list[e.Event]) -> None:
        for event in events:
            self._told(event)

    def play(self, step: Step, following: str) -> list[str]:
        """Do what the line says; return what came of it."""
        self.told.clear()
        if step.order is not None and following == "bar":
            self.waiting.append(step.order)
        elif step.order is not None:
            self._order(step.order)
        elif step.name == "bar":
            self._bar(step)
        elif step.name in MARKET:
            self._tick(step)
        elif step.name == "restart":
            self._restart()
        else:
            cl_ord_id = list(self.created)[int(step.words[0]) - 1]
            self.writer.feed(RequestCancel(self.now_ns, cl_ord_id, "the story"))
        self.writer.flush()
        return list(self.told)

    def _restart(self) -> None:
        digest = self.writer.state.digest()
        quotes = self.writer.state.quotes
        self.writer.save_snapshot()
        self.writer = self._writer()
        assert self.writer.state.digest() == digest
        for quote in quotes.values():
            self.writer.state.quotes[quote.instrument_id] = quote
        self.writer.recover(self.now_ns)

    def _bar(self, step: Step) -> None:
        o, h, l, c = (int(word) for word in step.words[:4])  # noqa: E741
        open_ns = self.now_ns
        self.writer.feed(BarOpened("X", open_ns, o))
        for order in self.waiting:
            self._order(order)
        self.waiting.clear()
        self.now_ns += MOMENT
        self.writer.feed(Bar("X", open_ns, self.now_ns, o, h, l, c, is_session_end="end" in step.words))

    def _tick(self, step: Step) -> None:
        self.now_ns += MOMENT
        numbers = [int(word) for word in step.words]
        if step.name == "tick":
            self.writer.feed(Quote("X", self.now_ns, numbers[0]))
        else:
            self.writer.feed(Quote("X", self.now_ns, 0, *numbers))

    def _order(self, order: Order) -> None:
        action = Action.TRADE if order.side else Action.CLOSE
        wish = Intent(
            "",
            f"story {len(self.created)}",
            "scenario",
            "s",
            "X",
            action,
            order.side,
            order.qty,
            order.kind,
            order.tif,
            order.px,
            order.stop_px,
            plan=order.plan,
        )
        self.writer.submit(SubmitIntent(self.now_ns, wish))

    def _told(self, event: e.Event) -> None:
        if isinstance(event, e.OrderCreated):
            self.created[event.request.cl_ord_id] = event
        elif isinstance(event, e.IntentRefused):
            self.told.append(f"refused {RefusalCode(event.code).name}")
        elif isinstance(event, e.OrderFilled):
            reason = self.created[event.cl_ord_id].exit_reason
            side = "buy" if event.side > 0 else "sell"
            name = f" {ExitReason(reason).name.lower()}" if reason else ""
            self.told.append(f"{'-' if reason else '+'} {side} {event.last_qty} @ {event.last_px}{name}")
        elif isinstance(event, e.OrderCanceled | e.OrderExpired):
            self.told.append("canceled" if isinstance(event, e.OrderCanceled) else "expired")
        elif isinstance(event, e.OrderRejected):
            self.told.append(f"rejected {event.code}")

    def holds(self, fact: str) -> bool:
        """Whether a fact is true now."""
        book = self.writer.state.book
        position = book.positions.get("X")
        qty = 0 if position is None else position.qty
        protection = None if position is None else position.protection
        stop_px = 0 if protection is None else protection.stop_px
        name, *figures = fact.split()
        actual = {
            "holds": qty,
            "flat": qty,
            "guarded": stop_px,
            "unguarded": int(protection is not None),
            "realised": book.realised,
        }[name]
        return actual == (int(figures[0]) if figures else 0)


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    play = Play(scenario)
    for at, step in enumerate(scenario.steps):
        following = next((later.name for later in scenario.steps[at + 1 :] if later.name in MARKET), "")
        where = f"{scenario.name}.txt:{step.number}: {step.name} {' '.join(step.words)}"
        assert play.play(step, following) == list(step.outcomes), where
        for fact in step.facts:
            assert play.holds(fact), f"{where}: not true: {fact}"
        assert check_book(play.writer.state) == [], where
    assert check_journal(play.journal, "w") == []


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_scenario_twice_is_the_same_journal(scenario: Scenario) -> None:
    payloads = []
    for _ in range(2):
        play = Play(scenario)
        for at, step in enumerate(scenario.steps):
            play.play(step, next((later.name for later in scenario.steps[at + 1 :] if later.name in MARKET), ""))
        payloads.append([record.payload for record in play.journal.read("w")])
    assert payloads[0] == payloads[1]


def test_there_are_scenarios_and_each_expects_something() -> None:
    assert len(ALL) >= 25
    for scenario in ALL:
        assert any(step.outcomes for step in scenario.steps), scenario.name
        assert scenario.title.endswith("."), scenario.name


@pytest.mark.parametrize("line", ["bark 1 2 3 4", "buy 10 sideways 5", " + bought", "\tmaybe 5"])
def test_line_that_nobody_understands_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "odd.txt"
    path.write_text(f"A title.\n{line}\n")
    with pytest.raises(ValueError, match=r"odd\.txt:2"):
        read(path)
