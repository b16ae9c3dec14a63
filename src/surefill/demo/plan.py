"""What the demonstration runs: the inputs, all of them. Same inputs, same bytes in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.profile import PAPER_FULL
from surefill.engine.writer import WorkspaceWriter
from surefill.market.dataset import DEMO_PRICE_DECIMALS
from surefill.rules.codes import FeeKind, FillMode
from surefill.strategy import EntrySpec, ExecutionSpec, ExitSpec, RiskSpec
from surefill.units import BPS_PPB, money_per_notional, to_quanta
from surefill.venues.paper import PaperSettings
from surefill.venues.paper.settings import FeeRule

SYMBOLS: Final = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
CURRENCY: Final = "USD"
MONEY_DECIMALS: Final = 8
STARTING_CASH: Final = to_quanta("100000", MONEY_DECIMALS, field="cash", max_quanta=2**62)
TICK: Final = to_quanta("0.01", DEMO_PRICE_DECIMALS, field="tick")

RISK: Final = RiskSpec(dollars_per_trade=10_000.0, max_positions=5, lot_size=1.0)
SPECS: Final = (
    ExecutionSpec(
        workspace_id="demo-ema-cross",
        name="EMA cross 20/50",
        symbols=SYMBOLS,
        entry=EntrySpec(type="ema_cross", params={"fast": 20, "slow": 50}),
        exit=ExitSpec(type="stop_target", stop_loss_pct=8.0, trailing_pct=15.0),
        risk=RISK,
    ),
    ExecutionSpec(
        workspace_id="demo-breakout",
        name="52-week breakout",
        symbols=SYMBOLS,
        entry=EntrySpec(type="breakout_52w_high", lookback_days=252),
        exit=ExitSpec(type="stop_target", stop_loss_pct=7.0, take_profit_pct=20.0, time_stop_bars=40),
        risk=RISK,
    ),
)

#: The simulated market: a spread of 4 bps, slippage of 2 bps against us, 0.35 USD an order and 0.005 USD a share.
VENUE: Final = PaperSettings(
    fill_mode=FillMode.BID_ASK,
    spread_ppb=4 * BPS_PPB,
    slippage_ppb=2 * BPS_PPB,
    fees=(
        FeeRule(FeeKind.PER_ORDER, per_order=to_quanta("0.35", MONEY_DECIMALS, field="fee")),
        FeeRule(FeeKind.PER_UNIT, per_unit=to_quanta("0.005", MONEY_DECIMALS, field="fee")),
    ),
)
VENUE_WORDS: Final = "paper: spread 4 bps, slippage 2 bps, 0.35 USD an order and 0.005 USD a share"


def open_workspace(writer: WorkspaceWriter, spec: ExecutionSpec, before_ns: int) -> None:
    """Open the workspace and define its instruments, in one commit, unless the journal has them already."""
    if writer.state.book.workspace_id:
        return
    writer.feed(
        OpenWorkspace(
            before_ns,
            spec.workspace_id,
            "backtest",
            "paper",
            "demo",
            CURRENCY,
            MONEY_DECIMALS,
            STARTING_CASH,
            PAPER_FULL,
            "",
        )
    )
    for instrument in _instruments(spec.symbols):
        writer.feed(DefineInstrument(before_ns, instrument))
    writer.flush()


def _instruments(symbols: Iterable[str]) -> Iterable[Instrument]:
    """Shares, traded in whole ones and in cents; prices have five decimals because halved splits do."""
    per_notional = money_per_notional(1, DEMO_PRICE_DECIMALS, 0, MONEY_DECIMALS)
    for symbol in symbols:
        yield Instrument(
            symbol, CURRENCY, DEMO_PRICE_DECIMALS, 0, per_notional, (Terms(tick=TICK),), calendar="us_equities"
        )
