"""Whatever stands in whichever field: the door answers, the next order fills, and the journal opens and verifies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.intake.door_driving import SYMBOL, Orders, Signals
from tests.intake.intents_driving import NOON_NS, done, paper_broker, trade
from tests.intake.junk import JUNK, DerivedText, check_journal

from surefill.domain.events import IntentRefused
from surefill.engine.clock import VirtualClock
from surefill.intake.intents import ExecutionOutcome, PaperBroker, TradeIntent
from surefill.intake.orders import ExecutionResult as OrderResult
from surefill.intake.orders import OrderIntent
from surefill.intake.signals import ExecutionContext, ExecutionResult
from surefill.journal import SqliteJournal

GOOD = "BANKNIFTY24DECFUT"  # another symbol than the junk's: some of that may well trade
CONTEXT_FIELDS = [field.name for field in fields(ExecutionContext)]
ORDER_FIELDS = [field.name for field in fields(OrderIntent)]
RICH = {"starting_equity": 10**8}  # so that no breaker minds what the junk loses
INTENT_FIELDS = [field.name for field in msgspec.structs.fields(TradeIntent)]


# -- door 1 -----------------------------------------------------------------------------------------------------


def answered(result: ExecutionResult | None) -> None:
    """HOLD, or a result whose refusal begins with a code."""
    if result is None:
        return
    assert result.status in ("FILLED", "PLACED", "REJECTED")
    assert type(result.symbol) is str
    if result.status == "REJECTED":
        assert result.reason.partition(":")[0].isidentifier()


def closes_well(folder: Path) -> None:
    with Signals(folder=folder) as door:
        assert door.send("BUY", symbol=GOOD, strategy_id="good").status == "FILLED"
    check_journal(folder / "journal")


@pytest.mark.parametrize("field", CONTEXT_FIELDS)
def test_context_with_junk_in_a_field_is_answered_and_leaves_the_door_whole(tmp_path: Path, field: str) -> None:
    with Signals(folder=tmp_path) as door:
        for junk in JUNK.values():
            context = door.context()
            setattr(context, field, junk)
            for word in ("BUY", "EXIT"):
                answered(door.engine.process_signal(SYMBOL, word, context))
        assert door.send("BUY", symbol=GOOD, strategy_id="good").status == "FILLED"
    closes_well(tmp_path)


def test_signal_that_is_junk_is_answered_and_leaves_the_door_whole(tmp_path: Path) -> None:
    with Signals(folder=tmp_path) as door:
        for junk in JUNK.values():
            answered(door.engine.process_signal(SYMBOL, junk, door.context()))
            answered(door.engine.process_signal(SYMBOL, {"signal": junk}, door.context()))
            answered(door.engine.process_signal(SYMBOL, SimpleNamespace(side=junk), door.context()))
            answered(door.engine.process_signal(SYMBOL, SimpleNamespace(side="BUY", reason=junk), door.context()))
            answered(door.engine.process_signal(SYMBOL, "BUY", junk))
            answered(door.engine.process_signal(junk, "BUY", door.context()))
            answered(door.engine.process_signal(junk, junk, junk))
        assert door.send("BUY", symbol=GOOD, strategy_id="good").status == "FILLED"
    closes_well(tmp_path)


@pytest.mark.parametrize(
    ("symbol", "signal", "context", "reason"),
    [
        (None, "BUY", {}, "unknown_instrument: symbol must be text, not None"),
        (5, "BUY", {}, "unknown_instrument: symbol must be text, not 5"),
        (float("nan"), "BUY", {}, "unknown_instrument: symbol must be text, not nan"),
        (("A", "B"), "BUY", {}, "unknown_instrument: symbol must be text, not ('A', 'B')"),
        (b"X", "BUY", {}, "unknown_instrument: symbol must be text, not b'X'"),
        ("\ud800", "BUY", {}, "unknown_instrument: symbol is not valid Unicode"),
        (SYMBOL, JUNK["hostile"], {}, "invalid_input: the signal cannot be read: RuntimeError: hostile signal"),
        (SYMBOL, "BUY", {"ladder": None}, "invalid_plan: ladder cannot be read: TypeError"),
        (SYMBOL, "BUY", {"ladder": [1, 2]}, "invalid_plan: ladder cannot be read: TypeError"),
        (SYMBOL, "BUY", {"strategy_id": b"x"}, "invalid_input: strategy_id must be text, not b'x'"),
        (SYMBOL, "BUY", {"intent_id": float("nan")}, "invalid_input: intent_id is NaN"),
        (SYMBOL, "BUY", {"sl_price": JUNK["mumbling"]}, "invalid_plan: sl_price is not a number"),
    ],
    ids=range(12),
)
def test_signal_that_cannot_be_read_is_rejected_with_a_code_and_journaled(
    symbol: Any, signal: Any, context: dict[str, Any], reason: str
) -> None:
    with Signals() as door:
        terms = door.context(**context)
        result = door.engine.process_signal(symbol, signal, terms)
        assert result is not None
        assert (result.status, result.price) == ("REJECTED", 0.0)
        assert result.reason.startswith(reason)
        refused = door.events()[-1]
        assert isinstance(refused, IntentRefused)
        assert refused.order_ref == result.order_id != ""


def test_signal_without_a_context_is_rejected_and_journaled() -> None:
    with Signals() as door:
        result = door.engine.process_signal(SYMBOL, "BUY", None)  # type: ignore[arg-type]
        assert result is not None
        assert result.reason == "invalid_input: None has not the fields of an ExecutionContext"
        assert door.kinds()[-1] == "IntentRefused"


@pytest.mark.parametrize("symbol", [np.str_(SYMBOL), DerivedText(SYMBOL)], ids=["numpy", "derived"])
def test_symbol_of_a_class_of_its_own_is_the_text_that_it_holds(symbol: str) -> None:
    with Signals() as door:
        result = door.send("BUY", symbol=symbol)
        assert (result.status, type(result.symbol)) == ("FILLED", str)
        assert door.send("BUY").status == "FILLED"
        assert door.position().quantity == 2


# -- door 2 -----------------------------------------------------------------------------------------------------


def order_answered(result: OrderResult) -> None:
    assert result.status in ("FILLED", "PLACED", "PARTIAL", "CANCELLED", "REJECTED")
    assert type(result.symbol) is str
    if result.status == "REJECTED":
        assert (result.message or "").partition(":")[0].isupper()


@pytest.mark.parametrize("field", ORDER_FIELDS)
def test_order_with_junk_in_a_field_is_answered_and_leaves_the_door_whole(tmp_path: Path, field: str) -> None:
    with Orders(folder=tmp_path, workspace=RICH) as door:
        for junk in JUNK.values():
            for kind in ("MARKET", "SL"):
                order = OrderIntent(SYMBOL, "EMA", "BUY", 1, kind, price=19_500.0, trigger_price=19_400.0)
                setattr(order, field, junk)
                order_answered(door.engine.execute_intent(order))
        assert door.send(symbol=GOOD, strategy_code="good").status == "FILLED"
    with Orders(folder=tmp_path, workspace=RICH) as door:
        assert door.send(symbol=GOOD, strategy_code="good").status == "FILLED"
        assert door.engine.positions()[GOOD].quantity == 2
    check_journal(tmp_path / "journal")


@pytest.mark.parametrize("name", ["reduce_only", "exchange", "timeframe", "other"])
def test_order_with_junk_in_its_metadata_is_answered_and_leaves_the_door_whole(tmp_path: Path, name: str) -> None:
    with Orders(folder=tmp_path, workspace=RICH) as door:
        for junk in JUNK.values():
            order_answered(door.send(metadata={name: junk}))
        assert door.send(symbol=GOOD, strategy_code="good").status == "FILLED"
    check_journal(tmp_path / "journal")


@pytest.mark.parametrize("name", JUNK)
def test_order_that_is_junk_is_rejected_and_journaled(name: str) -> None:
    with Orders() as door:
        result = door.engine.execute_intent(JUNK[name])
        assert result.status == "REJECTED"
        assert (result.message or "").startswith("INVALID_INPUT: ")
        assert isinstance(list(door.engine._door.events())[-1], IntentRefused)
        assert door.send().status == "FILLED"


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"symbol": None}, "UNKNOWN_INSTRUMENT: symbol must be text, not None"),
        ({"symbol": 5}, "UNKNOWN_INSTRUMENT: symbol must be text, not 5"),
        ({"symbol": ["A"]}, "UNKNOWN_INSTRUMENT: symbol must be text, not ['A']"),
        ({"symbol": b"X"}, "UNKNOWN_INSTRUMENT: symbol must be text, not b'X'"),
        ({"symbol": "\ud800"}, "UNKNOWN_INSTRUMENT: symbol is not valid Unicode"),
        ({"metadata": [1]}, "INVALID_INPUT: metadata must be a dict, not [1]"),
        ({"metadata": {"reduce_only": "yes"}}, "INVALID_INPUT: metadata.reduce_only must be True or False, not 'yes'"),
        ({"side": JUNK["hostile"]}, "INVALID_INPUT: side must be text"),
        ({"tag": b"x"}, "INVALID_INPUT: tag must be text, not b'x'"),
        ({"reason": "\ud800"}, "INVALID_INPUT: reason is not valid Unicode"),
    ],
    ids=range(10),
)
def test_order_that_cannot_be_read_is_rejected_with_a_code_and_journaled(terms: dict[str, Any], message: str) -> None:
    with Orders() as door:
        result = door.send(**terms)
        assert (result.status, result.avg_price) == ("REJECTED", None)
        assert (result.message or "").startswith(message)
        refused = list(door.engine._door.events())[-1]
        assert isinstance(refused, IntentRefused)
        assert refused.order_ref == result.order_id


def test_order_reduces_only_when_numpy_says_so_too() -> None:
    with Orders() as door:
        assert (door.send("SELL", metadata={"reduce_only": np.bool_(True)}).message or "").startswith("NO_POSITION")
        assert door.send("SELL", metadata={"reduce_only": np.bool_(False)}).status == "FILLED"


# -- door 5 -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["paper_long_only", "paper_full"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PaperBroker]:
    """A broker that must fill a good intent after the test, and after a restart; its journal must verify."""
    for number in (1, 2):
        journal = SqliteJournal(tmp_path / "journal")
        policy = {"limit_drawdown": False}  # the junk that trades is held, and has no price after the restart
        with paper_broker(request.param, journal=journal, clock=VirtualClock(NOON_NS), policy=policy) as made:
            if number == 1:
                yield made
            done(made.execute(trade(f"good-{number}", symbol="GOOD", strategy="good"), 100.0))
        journal.close()
    check_journal(tmp_path / "journal")


def heard(outcome: ExecutionOutcome) -> None:
    assert outcome.success or (outcome.code.isupper() and outcome.reason)


@pytest.mark.parametrize("field", INTENT_FIELDS)
def test_intent_with_junk_in_a_field_is_not_built_or_answered(broker: PaperBroker, field: str) -> None:
    terms = msgspec.structs.asdict(trade("junk", symbol="JUNK"))
    for number, junk in enumerate(JUNK.values()):
        try:
            built = TradeIntent(**{**terms, "id": f"junk-{number}", field: junk})
        except ValueError:
            continue
        heard(broker.execute(built, 100.0))


@pytest.mark.parametrize("field", INTENT_FIELDS)
def test_intent_changed_behind_its_back_is_answered(broker: PaperBroker, field: str) -> None:
    for number, junk in enumerate(JUNK.values()):
        intent = trade(f"junk-{number}", symbol="JUNK")
        msgspec.structs.force_setattr(intent, field, junk)
        heard(broker.execute(intent, 100.0))


def test_request_that_is_junk_is_answered(broker: PaperBroker) -> None:
    for name, junk in JUNK.items():
        heard(broker.execute(junk, 100.0))
        heard(broker.execute(trade(f"price {name}", symbol="JUNK"), junk))
        heard(broker.execute(trade(f"mode {name}", symbol="JUNK"), 100.0, junk))
        heard(broker.execute_json(junk))
        heard(broker.execute_json({"intent": junk}))


@pytest.mark.parametrize(
    "key", ["order_type", "time_in_force", "strategy_id", "signal", "trail_distance", "time_stop_bars", "end_of_day"]
)
def test_intent_with_junk_in_its_metadata_is_answered(broker: PaperBroker, key: str) -> None:
    for number, junk in enumerate(JUNK.values()):
        heard(broker.execute(trade(f"junk-{number}", symbol=f"JUNK{number}", metadata={key: junk}), 100.0))


def test_intent_that_is_none_is_422(broker: PaperBroker) -> None:
    outcome = broker.execute(None, 100.0)  # type: ignore[arg-type]
    assert (outcome.http_status, outcome.code, outcome.reason) == (422, "INVALID_REQUEST", "None is not a TradeIntent")
