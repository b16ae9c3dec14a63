"""One intent's story in words a person can follow."""

from __future__ import annotations

import random

import pytest
from tests.views.trading import FEES, Trading, at_random

from surefill.domain.inputs import Halt, OutcomeUnknown, RequestCancel
from surefill.domain.intent import ExitPlan, LadderStep
from surefill.domain.profile import V3
from surefill.rules.codes import OrdType
from surefill.venues.paper import PaperSettings
from surefill.views.story import story


def test_story_of_a_trade_tells_gates_venue_fill_guard_and_exit() -> None:
    trading = Trading(settings=PaperSettings(fees=FEES[:1]))
    trading.price(1_950_000)
    name = trading.trade(1, 2, plan=ExitPlan(stop_px=1_940_000, target_px=1_970_000), reason="ema cross")
    trading.price(1_935_000)
    said = "\n".join(story(trading.events(), name))
    ref = "V3-20251119092002-0001"
    assert said == (
        "2025-11-19T09:20:02Z  EMA_20_50 asks to BUY 2 NIFTY24DECFUT, MARKET (ema cross):"
        f" passed by the {len(V3.gates)} gates of profile v3 (limits version 1)\n"
        f"2025-11-19T09:20:02Z  order {ref}: BUY 2 NIFTY24DECFUT MARKET with the market at 19500, last price\n"
        f"2025-11-19T09:20:02Z  order {ref} traded 2 at 19500: position opened, now 2 at 19500.0, fee 11.7 INR\n"
        "2025-11-19T09:20:02Z  position NIFTY24DECFUT guarded: stop 19400 (risk 100), target 19700\n"
        "2025-11-19T09:20:03Z  exit: stop at 19350 (last price), 2 to close\n"
        "2025-11-19T09:20:03Z  order V3-20251119092003-0002: SELL 2 NIFTY24DECFUT MARKET for the stop exit"
        " with the market at 19350, last price\n"
        "2025-11-19T09:20:03Z  order V3-20251119092003-0002 traded 2 at 19350: position closed, now flat,"
        " realised -300 INR, fee 11.61 INR"
    )


def test_story_of_a_refused_intent_tells_the_gates_no() -> None:
    trading = Trading()
    name = trading.trade(1, 2, reason="first\nsecond")
    (line,) = story(trading.events(), name)
    assert "EMA_20_50 asks to BUY 2 NIFTY24DECFUT, MARKET (first second): REFUSED, NO_MARKET_DATA: no price" in line


def test_story_of_orders_that_work_and_of_what_goes_wrong_has_words() -> None:
    trading = Trading()
    trading.writer.in_process = None
    trading.price(10_000)
    name = trading.trade(-1, 2, ord_type=OrdType.STOP_LIMIT, px=9_000, stop_px=9_500)
    (cl_ord_id,) = trading.writer.state.book.orders
    trading.feed(OutcomeUnknown(trading.tick(), cl_ord_id, "timed out"))
    trading.feed(RequestCancel(trading.tick(), cl_ord_id, "a person"))
    said = "\n".join(story(trading.events(), name))
    assert "SELL 2 NIFTY24DECFUT, SL at 90 triggered at 95" in said
    assert "OUTCOME_UNKNOWN, timed out" in said
    assert "asked for by a person" in said


def test_story_of_a_guard_names_everything_in_the_plan() -> None:
    trading = Trading()
    trading.price(10_000)
    plan = ExitPlan(9_000, 12_000, 500, 0, 0, (LadderStep(11_000, 500_000_000),), 20, True)
    name = trading.trade(1, 4, plan=plan)
    trading.price(10_300)
    said = "\n".join(story(trading.events(), name))
    assert (
        "guarded: stop 90 (risk 10), target 120, trailing 5 behind, levels 110, out after 20 bars,"
        " out at the end of the day"
    ) in said
    assert "stop moved to 98, the price was 103" in said


def test_story_leaves_out_what_belongs_to_others() -> None:
    trading = Trading()
    trading.price(10_000)
    first = trading.trade(1, 1)
    trading.trade(1, 2)
    trading.feed(Halt(trading.tick(), "TEST", "a drill", "a person"))
    assert len(story(trading.events(), first)) == 3
    assert story(trading.events(), "no such story") == []


@pytest.mark.parametrize("seed", range(4))
def test_story_of_random_trading_has_words_on_one_line_for_every_one(seed: int) -> None:
    trading = at_random(random.Random(seed), 60)
    events = trading.events()
    for name in {event.correlation_id for event in events if event.correlation_id}:
        lines = story(events, name)
        assert lines
        assert all(len(line.splitlines()) == 1 for line in lines)
