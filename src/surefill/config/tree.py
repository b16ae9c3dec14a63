"""The tree of settings: every key, its type, its default and its meaning.

The descriptions here are the documentation: `docs/configuration.md` and the file that `surefill init` writes are made
from them. A default of None says "what the profile says" (`surefill.config.presets`).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from surefill.config.alerts import AlertSettings
from surefill.config.fields import Blank, Bps, Count, Decimals, Fraction, NotNegative, Positive, Section
from surefill.config.pipeline import PipelineSettings
from surefill.config.policy import PolicySettings
from surefill.config.risk import RiskSettings
from surefill.config.rpm import RpmSettings
from surefill.config.venues import VenuesSettings

Segment = Literal["equity", "equity_intraday", "equity_delivery", "futures", "options", "spot", "fx"]


class WorkspaceSettings(Section):
    """Which account this is. Everything here is fixed once the workspace is open; another account is another id."""

    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")] = Field(
        default="main", description="The workspace's name: letters, digits and . _ : -"
    )
    mode: Literal["paper", "backtest", "dry_run", "live"] = Field(
        default="paper",
        description="paper, backtest, dry_run (a real market, simulated orders: the default there) or live",
    )
    venue: str = Field(
        default="paper", description="paper, or one of `surefill venues`: where prices come from and orders go"
    )
    account: str = Field(default="main", description="The account at the venue")
    currency: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,10}$")] | None = Field(
        default=None, description="The currency that the account counts in, such as INR or USD"
    )
    money_decimals: Annotated[Decimals | None, Blank] = Field(
        default=None, description="How finely money is counted; fees and partial units come out exactly at it"
    )
    starting_equity: NotNegative = Field(
        default=Decimal("10000.0"), description="Cash at the start of a simulated account"
    )

    @model_validator(mode="before")
    @classmethod
    def _dry_by_default(cls, data: Any) -> Any:
        """At a real venue nothing is sent unless somebody says live."""
        if isinstance(data, dict) and data.get("venue", "paper") != "paper":
            return {"mode": "dry_run", **data}
        return data


class CircuitBreakers(Section):
    """The five breakers of the order intents' document, asked where the profile names them (`v2` does)."""

    max_daily_loss_rupees: NotNegative = Field(
        default=Decimal("5000.0"), description="Realised loss of one day, in money"
    )
    max_daily_drawdown_pct: Fraction = Field(
        default=Decimal("0.02"), description="Fraction of the day's starting equity lost from the day's high"
    )
    max_trades_per_day: Count = Field(default=100, description="Trades of one day")
    max_trades_per_strategy_per_day: Count = Field(default=50, description="Trades of one strategy and day")
    max_loss_streak: Count = Field(default=5, description="Losing trades in a row")


class ExecutionSettings(Section):
    """How orders are executed. The `execution:` blocks of the contracts load unchanged."""

    engine: Annotated[str | None, Blank] = Field(
        default=None,
        description="The profile: v3, v2, paper_long_only or paper_full; null asks use_execution_engine_v2",
    )
    use_execution_engine_v2: bool = Field(
        default=False, description="With engine: null, true means v2 and false means paper_full"
    )
    dry_run: Annotated[bool | None, Blank] = Field(
        default=None,
        description="true refuses mode live, false lets the v2 door's mode 'live' be that; null leaves it to the mode",
    )
    slippage_bps: Annotated[Bps | None, Blank] = Field(
        default=None, description="How much worse than the price a simulated fill is, in basis points below 10000"
    )
    use_bid_ask_spread: bool = Field(default=False, description="true is the same as fill_mode: bid_ask")
    fill_mode: Annotated[Literal["ltp", "mid", "bid_ask"] | None, Blank] = Field(
        default=None, description="Which price a simulated fill starts from: ltp, mid or bid_ask"
    )
    spread_bps: Bps = Field(
        default=Decimal(0),
        description="The spread assumed where bid and ask are not quoted, in basis points below 10000",
    )
    partial_fills: bool = Field(default=False, description="Let the quoted sizes limit what trades at once")
    latency_ms: Annotated[int, Field(ge=0, le=86_400_000)] = Field(
        default=0, description="A simulated order meets the first market data at least this much later"
    )
    enable_partial_exit: bool = Field(default=False, description="The first breach of a stop closes a part only")
    partial_exit_pct: Fraction = Field(default=Decimal("0.5"), description="That part, as a fraction of the position")
    enable_trailing: bool = Field(default=False, description="Stops follow the price")
    trail_step_r: Positive = Field(
        default=Decimal("0.5"), description="How far behind the best price, in units of the initial risk"
    )
    enable_time_stop: bool = Field(default=False, description="Close a position after a number of bars")
    time_stop_bars: Annotated[int, Field(ge=1)] = Field(default=20, description="That number")
    target_first_on_bar: bool = Field(
        default=False,
        description="When one bar touches stop and target, believe the target (default: the stop, the worst)",
    )
    price_max_age_s: NotNegative = Field(
        default=Decimal(0), description="Refuse to trade on a price older than this; 0 does not ask"
    )
    duplicate_window_s: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="Refuse the like of an intent without an id within this time; 0 lets it through"
    )
    allow_negative_cash: bool = Field(
        default=False,
        description="Let purchases overdraw the account. Asked by the gate `cash`; v3, v2 and rpm have none"
        " (purchases overdraw freely there) unless `risk.enable` names it",
    )
    stops_at: Literal["engine", "venue"] = Field(
        default="engine",
        description="Where a position's stop waits: watched by the engine, or kept as an order at the venue",
    )
    targets_at: Literal["engine", "venue"] = Field(
        default="engine",
        description="The same for its target, linked to the stop: `stops_at: venue`, and a venue that ends the one when"
        " the other fills (binance)",
    )
    stop_grace_s: Positive = Field(
        default=Decimal(3),
        description="How long a stop or target at the venue may take once its price is reached, before the engine"
        " leaves",
    )
    naked_page_s: Positive = Field(
        default=Decimal(2), description="Call somebody when a stop has not been confirmed by the venue for this long"
    )
    refused_stop: Literal["watch", "flatten"] = Field(
        default="watch", description="A stop that the venue refuses: watched by the engine, or the position is left"
    )
    exit_waits_s: NotNegative = Field(
        default=Decimal(60),
        description="How long an exit waits for a stop of unknown fate that the venue does not find, before it goes"
        " beside it, with a page; 0 waits until somebody resolves the stop",
    )
    dead_man_s: NotNegative = Field(
        default=Decimal(0),
        description="binanceusdm cancels every order of a symbol that we trade, by whomever, when it has not heard from"
        " us for so long; not together with stops_at: venue. 0: never",
    )
    circuit_breakers: CircuitBreakers = CircuitBreakers()

    @model_validator(mode="after")
    def _stops_are_there_and_stay(self) -> ExecutionSettings:
        if self.targets_at == "venue" and self.stops_at != "venue":
            raise ValueError("targets_at: venue links the target to the stop: stops_at must be venue too")
        if self.dead_man_s and self.stops_at == "venue":
            raise ValueError("dead_man_s may cancel the stops that stops_at: venue keeps there: choose one of them")
        return self

    @model_validator(mode="after")
    def _one_fill_mode(self) -> ExecutionSettings:
        if self.use_bid_ask_spread and self.fill_mode not in (None, "bid_ask"):
            raise ValueError(
                f"use_bid_ask_spread: true means fill_mode bid_ask, but fill_mode says {self.fill_mode}:"
                " leave one of them out"
            )
        return self


class TradingSettings(Section):
    """What a door does where the caller does not say."""

    default_quantity: Positive = Field(default=Decimal(1), description="The quantity of a signal that brings none")


class InstrumentSettings(Section):
    """An instrument. Under the name `default` it is the template of all others; under a symbol only what differs.

    `price_decimals`, `qty_decimals`, `multiplier` and `currency` are fixed for ever once the symbol was traded.
    """

    price_decimals: Annotated[Decimals | None, Blank] = Field(default=None, description="Decimals of the finest price")
    qty_decimals: Annotated[Decimals | None, Blank] = Field(default=None, description="Decimals of the finest quantity")
    tick: Annotated[Positive | None, Blank] = Field(default=None, description="Order prices are multiples of it")
    lot: Annotated[Positive | None, Blank] = Field(default=None, description="Order quantities are multiples of it")
    multiplier: Annotated[Positive | None, Blank] = Field(
        default=None, description="Value of one unit of price and quantity: 1 for shares and spot"
    )
    pip: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="The price of one pip, where the word has a meaning"
    )
    currency: Annotated[str | None, Blank] = Field(default=None, description="Must be the workspace's currency for now")
    calendar: Annotated[str | None, Blank] = Field(
        default=None, description="When it trades: 24x7, us_equities, nse, nfo, forex or exchange:CODE"
    )
    min_qty: Annotated[NotNegative | None, Blank] = Field(default=None, description="The smallest order")
    max_qty: Annotated[Positive | None, Blank] = Field(default=None, description="The largest order")
    underlying: Annotated[str | None, Blank] = Field(default=None, description="What it derives from, for reports")
    margin_pct: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="The margin that a position binds, in percent of its value; 0 is not known"
    )
    liquid: bool | None = Field(default=None, description="Which price collar holds: the narrow one or the wide one")
    tradable: bool | None = Field(default=None, description="false while the venue takes no orders in it")
    segment: Annotated[Segment | None, Blank] = Field(
        default=None,
        description="Which rates of costs.schedule it pays: equity_intraday, equity_delivery, equity (intraday where"
        " the position's bucket is MIS, else delivery), futures, options, spot or fx",
    )


class FeeSettings(Section):
    """One component of the fees of a simulated fill."""

    name: str = Field(default="", description="For people")
    kind: Literal["per_notional", "per_unit", "per_order"] = Field(description="per_notional, per_unit or per_order")
    rate_bps: Annotated[Decimal, Field(allow_inf_nan=False)] = Field(
        default=Decimal(0), description="per_notional: basis points of the traded value; below 0 is a rebate"
    )
    amount: Annotated[Decimal, Field(allow_inf_nan=False)] = Field(
        default=Decimal(0), description="per_unit, per_order: money for each unit, or for each order"
    )

    @model_validator(mode="after")
    def _its_own_figure(self) -> FeeSettings:
        wanted, other = ("rate_bps", "amount") if self.kind == "per_notional" else ("amount", "rate_bps")
        if getattr(self, other):
            raise ValueError(f"a {self.kind} fee has {wanted}, not {other}")
        return self


class CostSettings(Section):
    """What simulated trades cost by a schedule with dates, instead of `fees`; see docs/costs.md."""

    schedule: Annotated[Literal["zerodha", "binance_spot", "binance_usdm", "fx"] | None, Blank] = Field(
        default=None, description="zerodha, binance_spot, binance_usdm or fx; empty charges nothing but fees"
    )
    pay_with: Annotated[str | None, Blank] = Field(
        default=None, description="binance: the asset that fees are paid in for its discount, such as BNB"
    )
    brokerage_pct: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="zerodha: brokerage of intraday shares and futures, in percent (0.03)"
    )
    brokerage_max: Annotated[Positive | None, Blank] = Field(
        default=None, description="zerodha: the most brokerage that an order pays, in rupees (20)"
    )
    delivery_pct: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="zerodha: brokerage of delivery, in percent (0)"
    )
    option_order: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="zerodha: brokerage of an order in options, in rupees (20)"
    )
    commission_per_lot: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="fx: commission of one lot and side, in the account's currency"
    )
    lot_units: Annotated[Positive | None, Blank] = Field(default=None, description="fx: units in a lot (100000)")
    commission_pct: Annotated[NotNegative | None, Blank] = Field(
        default=None, description="fx: commission of each side, in percent of the value"
    )

    @model_validator(mode="after")
    def _its_own_figures(self) -> CostSettings:
        for key, schedules in _COST_KEYS.items():
            if getattr(self, key) is not None and self.schedule not in schedules:
                raise ValueError(f"{key} belongs to the schedule {' or '.join(schedules)}, not to {self.schedule}")
        if self.schedule == "fx" and self.commission_per_lot is None and self.commission_pct is None:
            raise ValueError("the schedule fx needs commission_per_lot or commission_pct: every broker has his own")
        if self.lot_units is not None and self.commission_per_lot is None:
            raise ValueError("lot_units goes with commission_per_lot")
        return self


_COST_KEYS = {
    "pay_with": ("binance_spot", "binance_usdm"),
    **dict.fromkeys(("brokerage_pct", "brokerage_max", "delivery_pct", "option_order"), ("zerodha",)),
    **dict.fromkeys(("commission_per_lot", "lot_units", "commission_pct"), ("fx",)),
}


class JournalSettings(Section):
    """The append-only truth."""

    path: Path = Field(default=Path("surefill.journal"), description="The file; relative to the configuration's folder")
    snapshot_every: Annotated[int, Field(ge=1)] = Field(
        default=100_000, description="Events between two snapshots: a restart folds at most so many"
    )
    disk_floor_mb: Annotated[int, Field(ge=0)] = Field(
        default=64, description="Below this free space entries stop while exits go on; 0 does not look"
    )


class ArtifactsSettings(Section):
    """Files made from the journal; they can be deleted and made again."""

    dir: Path = Field(default=Path("artifacts"), description="The folder; relative to the configuration's folder")


class FeedSettings(Section):
    """The market that `surefill trade` replays."""

    source: Literal["demo", "csv", "parquet", "synthetic"] = Field(
        default="demo", description="demo (shipped daily prices), csv, parquet or synthetic (made up, from the seed)"
    )
    path: Annotated[Path | None, Blank] = Field(
        default=None, description="The file, or a folder of files named `<symbol>.csv` or `.parquet`"
    )
    symbols: list[str] = Field(default=[], description="Which symbols; empty takes all that the source has")
    timeframe: str = Field(default="1d", description="The length of a bar: 1m 5m 15m 1h 4h 1d 1w")
    speed: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="1 is real time, 60 a minute per second, 0 as fast as it goes"
    )
    seed: int = Field(default=1, description="The seed of a synthetic market")
    bars: Annotated[int, Field(ge=2)] = Field(default=500, description="The length of a synthetic market")


class StrategyEntry(Section):
    """When a strategy opens."""

    type: str = Field(description="A strategy's name (`surefill backtest --list`), or my_file.py:MyStrategy")
    lookback_days: Annotated[int, Field(ge=1)] = Field(default=252, description="Bars that it looks back")
    params: dict[str, bool | int | float | str] = Field(default={}, description="Its own parameters, by name")
    good_for_bars: Annotated[int, Field(ge=1)] = Field(
        default=1, description="For how many bars an entry stands that waits for its price"
    )


class StrategyLadder(Section):
    """One partial exit of a strategy's positions."""

    profit_pct: float = Field(description="So far in favour of the price at entry")
    close_pct: float = Field(description="This share of what is held then leaves")


class StrategyExit(Section):
    """When a strategy's positions close, besides what it says itself. Percentages are of the price at entry."""

    type: Literal["eod", "none", "stop_target"] = Field(default="eod", description="eod, none or stop_target")
    stop_loss_pct: float | None = Field(default=None, description="stop_target: so far below the entry")
    take_profit_pct: float | None = Field(default=None, description="stop_target: so far above it")
    trailing_pct: float | None = Field(default=None, description="stop_target: the stop follows at this distance")
    time_stop_bars: int | None = Field(default=None, description="stop_target: close after so many bars")
    end_of_day: bool = Field(default=False, description="stop_target: close with the session")
    ladder: list[StrategyLadder] = Field(default=[], description="stop_target: parts that leave on the way")
    stop_partial_pct: float | None = Field(
        default=None, description="stop_target: the share that leaves when the stop is first reached"
    )


class StrategyRisk(Section):
    """How much a strategy trades."""

    dollars_per_trade: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="Money for each entry, in the workspace's currency"
    )
    max_positions: Annotated[int, Field(ge=1)] = Field(default=5, description="Blocks entries, never exits")


class StrategySettings(Section):
    """One strategy to run with `surefill trade`."""

    name: str = Field(default="", description="Its name in the journal; the type where empty")
    symbols: list[str] = Field(default=[], description="What it trades; empty means every symbol of the feed")
    entry: StrategyEntry
    exit: StrategyExit | None = Field(default=None, description="The strategy's own default where left out")
    risk: StrategyRisk
    enabled: bool = Field(default=True, description="false opens nothing, and still closes")


class Settings(Section):
    """All settings. `source_of` tells where a value came from, `base_dir` what relative paths start from."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    execution: ExecutionSettings = ExecutionSettings()
    risk: RiskSettings = RiskSettings()
    rpm: RpmSettings = RpmSettings()
    policy: PolicySettings = PolicySettings()
    trading: TradingSettings = TradingSettings()
    instruments: dict[str, InstrumentSettings] = Field(default={})
    fees: list[FeeSettings] = Field(default=[])
    costs: CostSettings = CostSettings()
    journal: JournalSettings = JournalSettings()
    alerts: AlertSettings = AlertSettings()
    venues: VenuesSettings = VenuesSettings()
    artifacts: ArtifactsSettings = ArtifactsSettings()
    feed: FeedSettings = FeedSettings()
    strategies: list[StrategySettings] = Field(default=[])
    pipeline: PipelineSettings = PipelineSettings()

    _sources: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict)
    _base_dir: Path = PrivateAttr(default_factory=Path)
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The configuration file it was read from."""
        return self._file

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths start from: the file's own, else the current one."""
        return self._base_dir

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""
        return self._base_dir / self.journal.path

    @property
    def artifacts_dir(self) -> Path:
        """Where files made from the journal go."""
        return self._base_dir / self.artifacts.dir

    def source_of(self, *keys: str) -> str:
        """Where the value at this path came from: a file and line, a variable, a flag, or "default"."""
        for length in range(len(keys), 0, -1):
            found = self._sources.get(keys[:length])
            if found is not None:
                return found
        return "default"

    def remember(self, sources: dict[tuple[str, ...], str], base_dir: Path, file: Path | None) -> Settings:
        """Note where values came from; the loader does this once."""
        self._sources, self._base_dir, self._file = sources, base_dir, file
        return self
