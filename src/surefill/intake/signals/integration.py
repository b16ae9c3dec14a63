"""The contract's integration helpers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from surefill.intake.door_settings import Config
from surefill.intake.orders.messages import OrderIntent
from surefill.intake.real_venue import VenueChoice
from surefill.intake.signals.engine import ExecutionEngineV3
from surefill.intake.signals.messages import ExecutionContext
from surefill.intake.signals.reading import read_word


def create_execution_engine_v3(
    config: Config,
    market_data_engine: Any = None,
    trade_recorder: Any = None,
    state_store: Any = None,
    *,
    venue: VenueChoice = None,
) -> ExecutionEngineV3:
    """The engine with its parts in the order in which the document's caller has them."""
    return ExecutionEngineV3(config, state_store, trade_recorder, market_data_engine, venue=venue)


def convert_to_order_intent(
    symbol: str,
    signal: Any,
    qty: int | None = None,
    price: float | None = None,
    strategy_code: str = "",
    logical_symbol: str = "",
    product: str = "MIS",
    mode: str = "paper",
    timeframe: str = "5m",
    exchange: str = "NFO",
    sl_price: float | None = None,
    tp_price: float | None = None,
    time_stop_bars: int | None = None,
    reason: str = "",
) -> tuple[OrderIntent, ExecutionContext]:
    """A signal as the pair that `process_signal(symbol, intent, context)` takes.

    The intent's side is the signal's word (EXIT and HOLD too), its price a note: the fill's price is the market's.
    """
    word = read_word(signal).value
    intent = OrderIntent(
        symbol=symbol,
        strategy_code=strategy_code,
        side=word,
        qty=0 if qty is None else qty,
        product=product,
        price=price,
        reason=reason,
    )
    context = ExecutionContext(
        symbol=symbol,
        logical_symbol=logical_symbol or symbol,
        product=product,
        strategy_id=strategy_code,
        mode=mode,
        timestamp=datetime.now(UTC),
        timeframe=timeframe,
        exchange=exchange,
        fixed_qty=qty,
        sl_price=sl_price,
        tp_price=tp_price,
        time_stop_bars=time_stop_bars,
    )
    return intent, context
