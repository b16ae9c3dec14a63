"""Door 1 at real venues: every row of its contract that speaks of live, at an emulated Kite and an emulated Binance."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.engine.post_box import post_box
from tests.intake.real_grounds import BinanceGround, Ground, KiteGround, until

from surefill.domain.events import IntentRefused, OrderCreated
from surefill.errors import ConfigError, RemoteError
from surefill.intake.real_venue import RealVenue
from surefill.intake.signals import ExecutionContext, ExecutionEngineV3, ExecutionResult
from surefill.testing.emulators.thread import EmulatorThread
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.views.positions import PositionRow


class Door:
    """Door 1, open at a venue. It has no feed: the market is the venue's."""

    def __init__(self, ground: Ground, engine: ExecutionEngineV3) -> None:
        self.ground, self.engine = ground, engine

    def context(self, **terms: Any) -> ExecutionContext:
        ground = self.ground
        given: dict[str, Any] = {
            "logical_symbol": "UNDERLYING",
            "product": "MIS",
            "strategy_id": "EMA",
            "mode": "live",
            "timeframe": "5m",
            "exchange": ground.exchange,
            "fixed_qty": ground.qty,
        }
        return ExecutionContext(**{"symbol": ground.symbol, "timestamp": datetime.now(UTC), **given, **terms})

    def send(self, word: str = "BUY", **terms: Any) -> ExecutionResult:
        result = self.engine.process_signal(self.ground.symbol, word, self.context(**terms))
        assert result is not None
        return result

    def position(self) -> PositionRow:
        return self.engine.positions().get(self.ground.held_as) or PositionRow(0.0, 0.0, 0.0, 0.0)

    def holds(self, times: int) -> bool:
        return self.position().quantity > (times - 0.5) * self.ground.qty

    def is_flat(self) -> bool:
        """But for what Binance kept as its commission."""
        return abs(self.position().quantity) < self.ground.qty / 100

    def refusals(self) -> list[IntentRefused]:
        return [event for event in self.engine.journal_events() if isinstance(event, IntentRefused)]


@contextmanager
def open_door(ground: Ground, folder: Path, mode: str = "live", **sections: Any) -> Iterator[Door]:
    venue = ground.real() if mode == "live" else RealVenue(market=ground.adapter())
    with ExecutionEngineV3(ground.config(folder, mode, **sections), venue=venue) as engine:
        yield Door(ground, engine)


def test_signal_is_filled_at_the_venue_and_an_exit_closes_it_there(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        result = door.send("BUY")
        assert result.status in ("PLACED", "FILLED"), result
        assert (result.symbol, result.side, result.qty, result.reason) == (ground.symbol, "BUY", ground.qty, "")
        until(lambda: not door.is_flat())
        assert door.position().avg_price == ground.px
        assert ground.held() == pytest.approx(ground.qty)
        assert door.send("EXIT").status in ("PLACED", "FILLED")
        until(door.is_flat)
        assert abs(ground.held()) < ground.qty / 100
    assert sorted(ground.sent().values()) == [1, 1]


def test_order_id_of_a_live_order_is_the_documents_and_never_comes_again(ground: Ground, tmp_path: Path) -> None:
    ids = []
    for round_ in (1, 2):
        with open_door(ground, tmp_path) as door:
            ids += [door.send("BUY", intent_id=str(round_)).order_id, door.send("BUY", fixed_qty=0).order_id]
            until(functools.partial(door.holds, round_))
    numbers = [each.rpartition("-")[2] for each in ids]
    assert all(each.startswith("V3-") for each in ids)
    assert numbers == sorted(set(numbers))
    assert sorted(ground.sent().values()) == [1, 1]


def test_signal_that_the_venue_refuses_moves_nothing(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.refuse_next()
        result = door.send("BUY")
        assert (result.status, result.price) == ("REJECTED", 0.0), result
        assert result.reason
        assert door.is_flat()
    assert ground.sent() == {}


def test_signal_whose_answer_never_comes_is_placed_and_found_by_asking(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(Fault.LOSE_ANSWER, op="submit")
        ground.blind()
        result = door.send("BUY")
        assert (result.status, result.reason, result.price) == ("PLACED", "OUTCOME_UNKNOWN", 0.0)
        until(lambda: not door.is_flat())
    assert list(ground.sent().values()) == [1]


def test_signal_that_never_arrived_is_not_sent_again(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(Fault.LOSE_REQUEST, op="submit")
        result = door.send("BUY", intent_id="once")
        assert (result.status, result.reason) == ("PLACED", "OUTCOME_UNKNOWN")
        assert door.send("BUY", intent_id="once").order_id == result.order_id
        assert door.is_flat()
    assert ground.sent() == {}


def test_signal_that_was_throttled_is_rejected_with_proof_and_may_come_again(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.arm(Fault.THROTTLED, op="submit")
        assert door.send("BUY", intent_id="first").status == "REJECTED"
        assert ground.sent() == {}
        assert door.send("BUY", intent_id="second").status in ("PLACED", "FILLED")
        until(lambda: not door.is_flat())
    assert list(ground.sent().values()) == [1]


@pytest.mark.parametrize(("levels", "reached"), [({"sl_price": 0.99}, 0.98), ({"tp_price": 1.01}, 1.02)])
def test_exit_is_guarded_by_the_venues_own_prices(
    ground: Ground, tmp_path: Path, levels: dict[str, float], reached: float
) -> None:
    with open_door(ground, tmp_path) as door:
        door.send("BUY", **{name: round(ground.px * share) for name, share in levels.items()})
        until(lambda: not door.is_flat())
        ground.price(round(ground.px * reached))
        until(door.is_flat)
        reasons = [each.exit_reason for each in door.engine.journal_events() if isinstance(each, OrderCreated)]
        assert len([reason for reason in reasons if reason]) == 1
    assert abs(ground.held()) < ground.qty / 100


def test_exit_is_guarded_after_a_restart_before_any_signal_comes(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        door.send("BUY", sl_price=round(ground.px * 0.99))
        until(lambda: not door.is_flat())
    with open_door(ground, tmp_path) as door:
        ground.price(round(ground.px * 0.98))
        until(door.is_flat)


def test_signal_filled_in_part_holds_what_filled_and_guards_that(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        ground.price(ground.px, qty=ground.qty / 2)
        result = door.send("BUY", sl_price=round(ground.px * 0.99))
        assert result.status in ("PLACED", "FILLED"), result
        until(lambda: not door.is_flat())
        assert door.position().quantity == pytest.approx(ground.qty / 2, rel=0.01)
        ground.price(round(ground.px * 0.98))
        until(lambda: door.is_flat() and abs(ground.held()) < ground.qty / 100)


def test_stop_that_rests_at_the_venue_leaves_without_us(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path, execution={"stops_at": "venue"}) as door:
        door.send("BUY", sl_price=round(ground.px * 0.99))
        until(lambda: not door.is_flat() and len(ground.sent()) == 2)
        ground.price(round(ground.px * 0.98))
        until(door.is_flat)
    assert sorted(ground.sent().values()) == [1, 1]
    assert abs(ground.held()) < ground.qty / 100


def test_entry_into_what_the_venue_tells_no_price_of_is_refused(binance: EmulatorThread, tmp_path: Path) -> None:
    ground = BinanceGround(binance, "binance")
    with open_door(ground, tmp_path) as door:
        prices = door.engine._door.prices
        assert prices is not None
        prices._first_price_s = 0.05
        result = door.engine.process_signal("ETH/USDT", "BUY", door.context(symbol="ETH/USDT"))
        assert result is not None
        assert (result.status, result.reason) == ("REJECTED", "ltp_missing")
    assert ground.sent() == {}


def test_context_marked_paper_is_never_sent_from_a_live_workspace(ground: Ground, tmp_path: Path) -> None:
    with open_door(ground, tmp_path) as door:
        result = door.send("BUY", mode="paper")
        assert result.reason == "invalid_input: the context's mode is 'paper', this workspace is live"
        assert len(door.refusals()) == 1
    assert ground.sent() == {}


def test_ltp_that_the_callers_feed_has_not_is_missing_live_too_and_exits_pass(ground: Ground, tmp_path: Path) -> None:
    config = ground.config(tmp_path, "live")
    feed: dict[str, float] = {ground.symbol: ground.px}
    with ExecutionEngineV3(config, broker_feed=feed, venue=ground.real()) as engine:
        door = Door(ground, engine)
        door.send("BUY")
        until(lambda: not door.is_flat())
        feed.clear()
        result = door.send("BUY", intent_id="without a price")
        assert (result.status, result.reason, result.price) == ("REJECTED", "ltp_missing", 0.0)
        door.send("EXIT")
        until(door.is_flat)


@pytest.mark.parametrize("mode", ["paper", "dry_run", "live"])
def test_dry_run_takes_the_venues_prices_and_sends_nothing(ground: Ground, tmp_path: Path, mode: str) -> None:
    with open_door(ground, tmp_path, "dry_run") as door:
        result = door.send("BUY", mode=mode, sl_price=round(ground.px * 0.99))
        assert (result.status, result.price) == ("FILLED", ground.px)
        ground.price(round(ground.px * 0.98))
        until(door.is_flat)
    assert ground.sent() == {}


def test_door_makes_its_venue_of_the_configuration_and_calls_somebody_first(ground: Ground, tmp_path: Path) -> None:
    if isinstance(ground, KiteGround):
        ground.log_in(tmp_path)
    with ExecutionEngineV3(ground.config(tmp_path, "dry_run")) as engine:
        door = Door(ground, engine)
        assert (door.send("BUY").status, ground.sent()) == ("FILLED", {})
    with post_box() as box:
        config = ground.config(tmp_path, "live", alerts={"urls": [box.url]})
        with ExecutionEngineV3(config, venue=RealVenue(real_money=True)) as engine:
            assert [title for title, _ in box.calls] == [f"surefill {ground.name}-live: live trading begins"]
            door = Door(ground, engine)
            door.send("BUY")
            until(lambda: not door.is_flat())
        box.down = True
        with pytest.raises(RemoteError, match="did not take it"):
            ExecutionEngineV3(config, venue=RealVenue(real_money=True))
    assert list(ground.sent().values()) == [1]
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "session.json"]
    assert len(written) >= 2
    assert [path for path in written if ground.secret(tmp_path).encode() in path.read_bytes()] == []


REFUSED = [
    ({}, "REAL_MONEY_NOT_SAID"),
    ({"real_money": True}, "NOBODY_TO_CALL"),
]


@pytest.mark.parametrize(("said", "code"), REFUSED)
def test_live_door_that_must_not_open_is_refused_before_anything_is_journaled(
    ground: Ground, tmp_path: Path, said: dict[str, bool], code: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        ExecutionEngineV3(ground.config(tmp_path, "live"), venue=RealVenue(market=ground.adapter(), **said))
    assert refused.value.code == code
    with pytest.raises(ConfigError, match="say --real-money"):
        ExecutionEngineV3(ground.config(tmp_path, "live"), venue=ground.adapter())
    assert not list(tmp_path.iterdir())


def test_paper_workspace_meets_no_real_venue(ground: Ground, tmp_path: Path) -> None:
    paper = {"journal": {"path": str(tmp_path / "j")}}
    for venue in (ground.real(), ground.adapter()):
        with pytest.raises(ConfigError, match="meets no real venue"):
            ExecutionEngineV3(paper, venue=venue)
    assert not list(tmp_path.iterdir())


def test_simulated_venue_is_no_real_one(ground: Ground, tmp_path: Path) -> None:
    for venue in (PaperVenue(PaperSettings()), ground.real(market=PaperVenue(PaperSettings()))):
        with pytest.raises(ConfigError, match="a PaperVenue is no real venue's adapter"):
            ExecutionEngineV3(ground.config(tmp_path, "dry_run"), venue=venue)


def test_live_workspace_keeps_no_journal_in_memory(ground: Ground, tmp_path: Path) -> None:
    config = ground.config(tmp_path, "live", journal={"path": ":memory:"})
    with pytest.raises(ConfigError, match="outlives its process"):
        ExecutionEngineV3(config, venue=ground.real())
