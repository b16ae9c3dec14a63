"""Door 3's chain: what each handler stops, with its defaults, and that nothing walks around the gates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.intake.pipeline_driving import BTC, ETH, Feed, Rig, one, sale, signal

from surefill.config import Settings
from surefill.domain.events import IntentRefused, OrderCreated, WorkspaceOpened
from surefill.errors import ConfigError
from surefill.intake.pipeline import (
    ExecutionHandler,
    ExecutionPipeline,
    Failure,
    OrderExecutorHandler,
    OrderFailed,
    OrderState,
    PipelineContext,
    PipelineResult,
    ReconciliationHandler,
    RiskManagementHandler,
    TradingSignalGenerated,
    ValidationHandler,
)
from surefill.intake.pipeline.providers import positions_elsewhere
from surefill.intake.pipeline.translation import Account, draft_of
from surefill.units import NS_PER_S, PPB

ALL = ("ValidationHandler", "RiskManagementHandler", "OrderExecutorHandler", "ReconciliationHandler")
INF, NAN = float("inf"), float("nan")


def test_chain_runs_validator_risk_executor_reconciler_with_a_log_entry_each() -> None:
    result, _ = one(signal())
    assert result.success
    assert (result.state, result.quantity, result.average_price) == (OrderState.FILLED, 2.0, 100.0)
    assert [(entry.handler, entry.outcome) for entry in result.log] == [(name, "PASSED") for name in ALL]


def test_chain_stops_early_and_sends_nothing() -> None:
    rig = Rig()

    async def story(rig: Rig) -> PipelineResult:
        result = await rig.send(signal(confluence_score=2.9))
        assert not [event for event in rig.journal_events() if isinstance(event, OrderCreated)]
        assert [event.code for event in rig.journal_events() if isinstance(event, IntentRefused)] == [124]
        return result

    result = rig.run(story)
    assert (result.success, result.failed_handler, result.error_code) == (
        False,
        "ValidationHandler",
        "CONFLUENCE_TOO_LOW",
    )
    assert [(entry.handler, entry.outcome) for entry in result.log] == [("ValidationHandler", "FAILED")]
    assert [event.error_code for event in rig.of(OrderFailed)] == ["CONFLUENCE_TOO_LOW"]


VALIDATION: list[tuple[dict[str, Any], str, str]] = [
    ({"confluence_score": 3.0}, "", ""),
    ({"confluence_score": 2.999}, "CONFLUENCE_TOO_LOW", "2.999 is below 3"),
    ({"confluence_score": NAN}, "INVALID_INPUT", "confluence nan is not a number"),
    ({"confluence_score": None}, "INVALID_INPUT", "confluence None is not a number"),
    ({"confluence_score": True}, "INVALID_INPUT", "is not a number"),
    ({"signal_strength": 0.0}, "", ""),
    ({"signal_strength": -0.01}, "SIGNAL_TOO_WEAK", "-0.01 is below 0"),
    ({"signal_strength": INF}, "INVALID_INPUT", "signal_strength inf is not a number"),
    ({"signal_strength": 1e30}, "INVALID_INPUT", "out of all proportion"),
    ({"exchange": "binance"}, "", ""),
    ({"exchange": "Bybit"}, "", ""),
    ({"exchange": "okx"}, "INVALID_INPUT", "exchange 'okx' is not one of binance, bybit"),
    ({"exchange": ""}, "INVALID_INPUT", "is not one of"),
    ({"market_type": "lottery"}, "INVALID_INPUT", "market type 'lottery'"),
    ({"symbol": "BTCUSDT"}, "INVALID_INPUT", "is not written like BTC/USDT"),
    ({"symbol": "btc/usdt"}, "INVALID_INPUT", "is not written like BTC/USDT"),
    ({"symbol": "BTC/"}, "INVALID_INPUT", "is not written like BTC/USDT"),
    ({"symbol": ""}, "INVALID_INPUT", "is not written like BTC/USDT"),
    ({"symbol": None}, "INVALID_INPUT", "is not written like BTC/USDT"),
    ({"symbol": "BTC/EUR"}, "INVALID_INPUT", "counts in EUR, this workspace in USDT"),
    ({"symbol": "BTC/USDT:USDT", "market_type": "swap"}, "", ""),
    ({"position_size_pct": 0}, "INVALID_INPUT", "is not above 0 and at most 100"),
    ({"position_size_pct": -1}, "INVALID_INPUT", "must not be negative"),
    ({"position_size_pct": 100.1}, "INVALID_INPUT", "is not above 0 and at most 100"),
    ({"position_size_pct": NAN}, "INVALID_INPUT", "must be a finite number"),
    ({"side": "HOLD"}, "INVALID_INPUT", "side 'HOLD' is not BUY or SELL"),
    ({"entry_price": 0.0}, "INVALID_INPUT", "entry_price must be above 0"),
    ({"entry_price": NAN}, "INVALID_INPUT", "entry_price must be a finite number"),
    ({"entry_price": None}, "INVALID_INPUT", "entry_price is not a number"),
    ({"stop_loss": 100.0}, "STOP_ON_WRONG_SIDE", "must be below the entry 100"),
    ({"stop_loss": 101.0}, "STOP_ON_WRONG_SIDE", "must be below the entry 100"),
    ({"stop_loss": 0}, "INVALID_INPUT", "stop_loss is 0"),
    ({"stop_loss": -1.0}, "INVALID_INPUT", "stop_loss must not be negative"),
    ({"take_profit": 100.0}, "TARGET_ON_WRONG_SIDE", "must be above the entry 100"),
    ({"take_profit": 99.0}, "TARGET_ON_WRONG_SIDE", "must be above the entry 100"),
]


@pytest.mark.parametrize(("changes", "code", "words"), VALIDATION)
def test_validation_handler_lets_sound_signals_pass_and_names_what_is_wrong(
    changes: dict[str, Any], code: str, words: str
) -> None:
    result, _ = one(signal(**changes))
    assert (result.error_code, result.success) == (code, not code)
    assert words in result.error_message
    assert result.failed_handler == ("ValidationHandler" if code else "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"stop_loss": 100.0}, "STOP_ON_WRONG_SIDE"),
        ({"stop_loss": 99.0}, "STOP_ON_WRONG_SIDE"),
        ({"take_profit": 100.0}, "TARGET_ON_WRONG_SIDE"),
        ({"take_profit": 101.0}, "TARGET_ON_WRONG_SIDE"),
    ],
)
def test_validation_handler_mirrors_levels_for_a_sell(changes: dict[str, Any], code: str) -> None:
    result, _ = one(sale(**changes))
    assert result.error_code == code


@pytest.mark.parametrize(("score", "warns"), [(10.0, False), (10.5, True)])
def test_validation_handler_warns_of_scores_above_10_and_lets_them_pass(score: float, warns: bool) -> None:
    result, _ = one(signal(confluence_score=score))
    assert result.success
    assert any("above 10" in text for text in result.warnings) is warns


@pytest.mark.parametrize(
    ("reward", "code"),
    [(102.25, ""), (102.2499, "REWARD_RISK_TOO_LOW"), (None, "FIGURE_MISSING")],
)
def test_risk_handler_asks_for_reward_of_at_least_1_5_times_the_risk(reward: float | None, code: str) -> None:
    result, _ = one(signal(take_profit=reward))
    assert result.error_code == code
    assert result.failed_handler == ("RiskManagementHandler" if code else "")


@pytest.mark.parametrize(("stop", "code"), [(98.0, ""), (97.9999, "STOP_TOO_FAR")])
def test_risk_handler_lets_a_stop_be_2_percent_away_at_most(stop: float, code: str) -> None:
    result, _ = one(signal(stop_loss=stop))
    assert (result.error_code, result.failed_handler) == (code, "RiskManagementHandler" if code else "")


@pytest.mark.parametrize(("make", "stop"), [(signal, 98.0), (sale, 102.0)])
def test_risk_handler_sets_a_default_stop_at_2_percent(make: Any, stop: float) -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        assert (await rig.send(make(stop_loss=None))).success
        position = await rig.engine.pipeline.door.read(lambda state: state.book.positions[BTC])
        assert position.protection is not None
        assert position.protection.stop_px == round(stop * 10_000)

    rig.run(story)


def test_risk_handler_default_stop_suits_the_market_as_well_as_the_signal() -> None:
    for px in (99.0, 101.0):
        result, _ = one(signal(stop_loss=None, take_profit=110.0), market_data=Feed(px))
        assert (result.error_code, result.average_price) == ("", px)


@pytest.mark.parametrize(
    ("pct", "quantity", "warns"),
    [(None, 2.0, False), (2.0, 2.0, False), (0.5, 0.5, False), (5.0, 5.0, False), (5.1, 5.0, True), (100, 5.0, True)],
)
def test_risk_handler_sizes_by_percent_of_the_balance_default_2_capped_at_5(
    pct: float | None, quantity: float, warns: bool
) -> None:
    result, _ = one(signal(position_size_pct=pct))
    assert (result.success, result.quantity) == (True, quantity)
    assert any("capped at 5 %" in text for text in result.warnings) is warns


def test_risk_handler_lets_3_positions_be_open_not_counting_the_signals_own() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        for symbol in ("A/USDT", "B/USDT", "C/USDT"):
            assert (await rig.send(signal(symbol))).success
        refused = await rig.send(signal("D/USDT"))
        assert (refused.failed_handler, refused.error_code) == ("RiskManagementHandler", "MAX_OPEN_POSITIONS")
        assert (await rig.send(signal("C/USDT"))).success, "its own position counts not twice"
        await rig.price(90.0, "A/USDT")  # its stop
        assert (await rig.send(signal("D/USDT"))).success

    rig.run(story)


def test_risk_handler_asks_at_the_markets_price_too() -> None:
    """The signal is sound at its own price; at the market's the stop is too far away."""
    result, _ = one(signal(stop_loss=98.0, take_profit=120.0), market_data=Feed(101.0))
    assert (result.failed_handler, result.error_code) == ("OrderExecutorHandler", "STOP_TOO_FAR")


def test_chain_without_a_feed_trades_at_the_last_price_shown_else_at_the_signals_own() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal(take_profit=110.0))).average_price == 100.0
        assert (await rig.send(signal(take_profit=110.0, entry_price=100.2))).average_price == 100.2
        await rig.price(100.4)
        assert (await rig.send(signal(take_profit=110.0))).average_price == 100.4

    rig.run(story)


@pytest.mark.parametrize("handlers", [None, [OrderExecutorHandler()]])
def test_chain_lets_no_refused_signal_move_the_market(handlers: list[ExecutionHandler] | None) -> None:
    rig = Rig(handlers=handlers)

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal())).success
        for wrong in ({"exchange": "nowhere"}, {"side": "HOLD"}):
            assert not (await rig.send(signal(entry_price=50.0, **wrong))).success
        assert (await rig.engine.exchange.get_positions())[0].quantity == 2.0, "the stop was hit by a refused signal"

    rig.run(story)


@pytest.mark.parametrize(("exchange", "refused"), [("bybit", False), ("binance", True)])
def test_signal_for_another_exchange_than_the_workspaces_is_refused(exchange: str, refused: bool) -> None:
    settings = Settings()
    settings = settings.model_copy(update={"workspace": settings.workspace.model_copy(update={"venue": "bybit"})})
    draft = draft_of(signal(exchange=exchange), settings, None, None, Account(), story="c", now_ns=0)
    assert [refusal.reason for refusal in draft.refusals.values()] == (
        ["the signal is for binance, this workspace trades at bybit (spot): send it to that one's"] if refused else []
    )


@pytest.mark.parametrize("feed", [Feed(None), Feed(NAN), Feed(0.0)])
def test_chain_without_a_price_of_its_feed_refuses(feed: Feed) -> None:
    result, _ = one(signal(), market_data=feed)
    assert (result.failed_handler, result.error_code) == ("ValidationHandler", "NO_MARKET_DATA")


# -- providers ------------------------------------------------------------------------------------------------


def with_providers(balance: Any = None, positions: Any = None, **changes: Any) -> PipelineResult:
    rig = Rig()
    rig.engine.pipeline.set_balance_provider(balance)
    rig.engine.pipeline.set_positions_provider(positions)

    async def story(rig: Rig) -> PipelineResult:
        return await rig.send(signal(**changes))

    return rig.run(story)


async def _coroutine() -> float:
    return 5_000.0


def _fail() -> float:
    raise ConnectionError("the account service is down")


@pytest.mark.parametrize(
    ("provider", "quantity"),
    [(lambda: 5_000.0, 1.0), (_coroutine, 1.0), (lambda: _coroutine(), 1.0), (lambda: 50_000, 2.0)],
)
def test_balance_provider_counts_where_it_tells_less_than_our_books(provider: Any, quantity: float) -> None:
    result = with_providers(balance=provider)
    assert (result.error_code, result.quantity) == ("", quantity)


@pytest.mark.parametrize("answer", [lambda: None, lambda: NAN, lambda: -1.0, lambda: "lots", lambda: True, _fail])
def test_balance_provider_without_an_answer_fails_the_signal(answer: Any) -> None:
    result = with_providers(balance=answer)
    assert (result.success, result.failed_handler, result.error_code) == (
        False,
        "RiskManagementHandler",
        "EQUITY_UNKNOWN",
    )


def test_balance_provider_that_tells_nothing_left_sizes_nothing() -> None:
    assert with_providers(balance=lambda: 0).error_code == "SIZE_ZERO_LOTS"


def test_balance_provider_that_never_answers_fails_the_signal() -> None:
    rig = Rig()
    rig.engine.pipeline._providers._within_s = 0.01

    async def never() -> float:
        await asyncio.Event().wait()
        return 1.0

    rig.engine.pipeline.set_balance_provider(never)

    async def story(rig: Rig) -> PipelineResult:
        return await rig.send(signal())

    assert rig.run(story).error_code == "EQUITY_UNKNOWN"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: [], ""),
        (lambda: ["A/USDT", "B/USDT"], ""),
        (lambda: ["A/USDT", "B/USDT", "C/USDT"], "MAX_OPEN_POSITIONS"),
        (lambda: None, "FIGURE_MISSING"),
        (_fail, "FIGURE_MISSING"),
    ],
)
def test_positions_provider_adds_what_our_books_do_not_hold_and_must_answer(answer: Any, code: str) -> None:
    assert with_providers(positions=answer).error_code == code


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (0, 0),
        (3, 2),
        (-1, None),
        ({"A": 1.0, "B": 0.0, "C": -2}, 1),
        ([{"symbol": "B", "quantity": 1}, {"symbol": "C", "contracts": 0}], 1),
        ([{"side": "long"}], None),
        ("A", None),
        (object(), None),
    ],
)
def test_positions_elsewhere_of_an_answer_are_counted_without_our_own(answer: Any, count: int | None) -> None:
    assert positions_elsewhere(answer, ["A"]) == count


# -- nothing walks around ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"confluence_score": 1.0}, "CONFLUENCE_TOO_LOW"),
        ({"signal_strength": -1.0}, "SIGNAL_TOO_WEAK"),
        ({"exchange": "nowhere"}, "INVALID_INPUT"),
        ({"stop_loss": 90.0, "take_profit": 120.0}, "STOP_TOO_FAR"),
        ({"take_profit": 100.5}, "REWARD_RISK_TOO_LOW"),
        ({"position_size_pct": 101}, "INVALID_INPUT"),
    ],
)
def test_gates_hold_when_their_handlers_are_left_out_of_the_chain(changes: dict[str, Any], code: str) -> None:
    result, _ = one(signal(**changes), handlers=[OrderExecutorHandler()])
    assert (result.failed_handler, result.error_code) == ("OrderExecutorHandler", code)


def test_chain_without_its_risk_handler_sizes_caps_and_asks_providers_all_the_same() -> None:
    result, _ = one(signal(position_size_pct=50), handlers=[OrderExecutorHandler()])
    assert result.quantity == 5.0
    rig = Rig(handlers=[OrderExecutorHandler()])
    rig.engine.pipeline.set_balance_provider(lambda: None)

    async def story(rig: Rig) -> PipelineResult:
        return await rig.send(signal())

    assert rig.run(story).error_code == "EQUITY_UNKNOWN"


def test_chain_without_an_executor_submits_nothing() -> None:
    result, rig = one(signal(), handlers=[ValidationHandler(), RiskManagementHandler()])
    assert (result.success, result.error_code, result.state) == (False, "NOT_SUBMITTED", OrderState.PENDING)
    assert [(entry.handler, entry.outcome) for entry in result.log] == [(name, "PASSED") for name in ALL[:2]]
    assert rig.engine.order_manager.get_statistics()["total"] == 0


class Veto(ExecutionHandler):
    """A handler of the caller's own."""

    def __init__(self, failure: Failure | Exception | None) -> None:
        super().__init__()
        self.failure = failure

    async def process(self, context: PipelineContext) -> Failure | None:
        if isinstance(self.failure, Exception):
            raise self.failure
        return self.failure


@pytest.mark.parametrize(
    ("failure", "code", "outcome"),
    [
        (None, "", "PASSED"),
        (Failure("NEWS", "the bank decides in a minute"), "NEWS", "FAILED"),
        (ValueError("a fault"), "HANDLER_FAILED", "STOPPED"),
    ],
)
def test_handler_of_ones_own_can_stop_the_chain_and_its_fault_sends_nothing(
    failure: Failure | Exception | None, code: str, outcome: str
) -> None:
    result, rig = one(signal(), handlers=[ValidationHandler(), Veto(failure), OrderExecutorHandler()])
    assert (result.success, result.error_code) == (not code, code)
    assert result.log[1].outcome == outcome
    assert [event.error_code for event in rig.of(OrderFailed)] == (["INVALID_INPUT"] if code else [])


# -- parameters -------------------------------------------------------------------------------------------------


def test_handlers_have_the_contracts_arguments_and_defaults() -> None:
    assert dict(ValidationHandler().settings()) == {
        "min_signal_strength": 0.0,
        "min_confluence_score": 3.0,
        "valid_exchanges": ["binance", "bybit"],
    }
    assert dict(RiskManagementHandler().settings()) == {
        "max_concurrent_positions": 3,
        "default_position_size_pct": 2.0,
        "max_position_size_pct": 5.0,
        "min_risk_reward_ratio": 1.5,
        "max_stop_loss_pct": 2.0,
    }
    assert dict(OrderExecutorHandler().settings()) == {
        "max_retries": 3,
        "base_delay": 1.0,
        "backoff_factor": 2.0,
        "max_delay": 30.0,
        "jitter": True,
    }
    assert dict(ReconciliationHandler().settings()) == {
        "verify_fill": True,
        "max_price_slippage_pct": 1.0,
        "max_wait_time": 10.0,
        "poll_interval": 0.5,
        "min_fill_ratio": 0.95,
    }


def test_handlers_parameters_are_the_cores_limits_and_journaled() -> None:
    rig = Rig(
        handlers=[
            ValidationHandler(0.5, 6.0, ["okx"]),
            RiskManagementHandler(1, 1.0, 3.0, 2.0, 1.0),
            OrderExecutorHandler(5, 0.5, 3.0, 10.0, False),
            ReconciliationHandler(True, 0.5, 4.0),
        ]
    )

    async def story(rig: Rig) -> None:
        opened = next(event for event in rig.journal_events() if isinstance(event, WorkspaceOpened))
        limits = opened.profile.limits
        assert (limits.signal_strength_min_ppb, limits.confluence_min_ppb) == (PPB // 2, 6 * PPB)
        assert (limits.open_positions_max, limits.reward_risk_min_ppb) == (1, 2 * PPB)
        assert limits.stop_distance_max_ppb == PPB // 100
        assert (limits.attempts_max, limits.retry_base_ns, limits.retry_factor) == (6, NS_PER_S // 2, 3)
        assert (limits.retry_max_ns, limits.retry_jitter_ppb) == (10 * NS_PER_S, 0)
        assert limits.order_timeout_ns == 4 * NS_PER_S
        result = await rig.send(signal(confluence_score=6.0, exchange="okx", stop_loss=None, position_size_pct=None))
        assert (result.error_code, result.quantity) == ("", 1.0)

    rig.run(story)


def test_configuration_sets_the_handlers_of_the_default_chain() -> None:
    result, rig = one(signal(), pipeline={"min_confluence_score": 6, "max_retries": 1, "valid_exchanges": ["binance"]})
    assert result.error_code == "CONFLUENCE_TOO_LOW"
    validator, _, executor, _ = rig.engine.pipeline.handlers
    assert isinstance(validator, ValidationHandler)
    assert isinstance(executor, OrderExecutorHandler)
    assert (validator.min_confluence_score, executor.max_retries) == (6.0, 1)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"pipeline": {"min_confluence": 3}}, "did you mean"),
        ({"pipeline": {"max_retries": -1}}, "max_retries"),
        ({"risk": {"confluence_min": 2}}, "pipeline.min_confluence_score"),
        ({"execution": {"engine": "v2"}}, "this door is pipeline"),
    ],
)
def test_configuration_that_is_wrong_is_an_error(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ExecutionPipeline({"journal": {"path": ":memory:"}, **config})


def test_handlers_parameters_that_cannot_be_are_an_error() -> None:
    with pytest.raises(ConfigError, match="max_retries"):
        ExecutionPipeline({"journal": {"path": ":memory:"}}, [OrderExecutorHandler(max_retries=-1)])


# -- asked again ------------------------------------------------------------------------------------------------


def test_signal_repeated_under_its_key_gives_the_first_result_whatever_has_changed() -> None:
    rig = Rig(market_data=(feed := Feed(100.0)), pipeline={"max_concurrent_positions": 1})
    balance = [5_000.0]
    rig.engine.pipeline.set_balance_provider(lambda: balance[0])

    async def story(rig: Rig) -> None:
        keyed = signal(stop_loss=None, take_profit=110.0, intent_id="k")
        first = await rig.send(keyed)
        assert (first.success, first.is_repeat) == (True, False)
        balance[0], feed.px = 4_000.0, 99.5
        again = await rig.send(keyed)
        assert (again.success, again.is_repeat) == (True, True)
        assert again.client_order_id == first.client_order_id
        feed.px = 500.0  # refused by now, if it were new
        assert (await rig.send(keyed)).client_order_id == first.client_order_id
        other = await rig.send(signal(stop_loss=None, take_profit=111.0, intent_id="k"))
        assert (other.success, other.error_code) == (False, "KEY_CONFLICT")
        assert rig.engine.order_manager.get_statistics()["filled"] == 1

    rig.run(story)


def test_signal_refused_under_a_key_leaves_the_key_free() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        assert not (await rig.send(signal(confluence_score=1.0, intent_id="k"))).success
        assert (await rig.send(signal(intent_id="k"))).success

    rig.run(story)


def test_signals_in_parallel_under_one_key_are_one_order() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        results = await asyncio.gather(*(rig.engine.pipeline.execute(signal(intent_id="k")) for _ in range(5)))
        assert len({result.client_order_id for result in results}) == 1
        assert rig.engine.order_manager.get_statistics()["total"] == 1

    rig.run(story)


def test_signal_against_a_position_is_refused_with_what_to_do() -> None:
    rig = Rig()

    async def story(rig: Rig) -> TradingSignalGenerated:
        assert (await rig.send(signal(ETH))).success
        refused = await rig.send(sale(ETH))
        assert refused.error_code == "OPENS_AGAINST_POSITION"
        assert "close it first" in refused.error_message
        closed = await rig.engine.close_position(ETH, "the idea is over")
        assert (closed.success, closed.filled_quantity) == (True, 2.0)
        assert (await rig.send(sale(ETH))).success
        return sale()

    rig.run(story)
