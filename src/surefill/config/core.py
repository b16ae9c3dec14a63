"""From settings to what the core is told: the profile, the simulated market, instruments, the opening."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from surefill.config.build import build_of_this
from surefill.config.costs import cost_schedule_of, segment_for
from surefill.config.pipeline import pipeline_limits
from surefill.config.policy import PolicySettings, with_policy
from surefill.config.presets import Preset, known_profiles, preset_of
from surefill.config.risk import with_risk
from surefill.config.tree import CostSettings, FeeSettings, InstrumentSettings, Settings
from surefill.config.venues import CRYPTO, KITE, MT5, REAL_VENUES, VenuesSettings
from surefill.domain.costs import Tariff, purchase_rate_ppb
from surefill.domain.inputs import OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.profile import PROFILES, Profile
from surefill.errors import ConfigError, InputError
from surefill.market.sessions import calendar_named
from surefill.plain import plain_text
from surefill.rules.codes import FeeKind, FillMode
from surefill.units import (
    MONEY_MAX,
    NS_PER_MS,
    PPB,
    QTY_MAX,
    RATE_MAX_PPB,
    money_per_notional,
    rate_ppb_from_bps,
    rate_ppb_from_fraction,
    rate_ppb_from_pct,
    to_quanta,
)
from surefill.venues.paper.settings import FeeRule, PaperSettings

T = TypeVar("T")

TEMPLATE: Final = "default"
SIMULATED: Final = ("paper", "backtest")
LIVE_WINDOW_S: Final = Decimal(2)
#: Prices and quantities of 12 decimals together, as the adapters count them, come out whole in these.
CRYPTO_MONEY_DECIMALS: Final = 12
#: A door whose ids say how real they are.
_ID_PREFIXES: Final = {("v2", "dry_run"): "DRY-RUN", ("v2", "live"): "LIVE"}
_FILL_MODES: Final = {"ltp": FillMode.LTP, "mid": FillMode.MID, "bid_ask": FillMode.BID_ASK}
# What may change without changing a decision: where files lie, which market is replayed, who is called.
_OUTSIDE_THE_HASH: Final = frozenset({"journal", "artifacts", "feed", "alerts"})


_YOUNGER_EXECUTION: Final = (
    *("stops_at", "targets_at", "stop_grace_s", "naked_page_s", "refused_stop", "exit_waits_s", "dead_man_s"),
)
_YOUNGER_RISK: Final = ("aggregate_value_max", "balance_drift_pct", "balance_drift_halts")


def profile_name(settings: Settings) -> str:
    """The profile that the toggles pick. Raises ConfigError for an engine that does not exist."""
    execution = settings.execution
    if execution.engine is None:
        return "v2" if execution.use_execution_engine_v2 else "paper_full"
    if execution.engine not in PROFILES:
        raise _wrong(
            settings,
            ("execution", "engine"),
            execution.engine,
            f"it may be null or one of {', '.join(known_profiles())}",
        )
    return execution.engine


def profile_of(settings: Settings) -> Profile:
    """The profile with the limits that the configuration gives it."""
    execution = settings.execution
    profile, paper = PROFILES[profile_name(settings)], paper_settings_of(settings)
    window_s = execution.duplicate_window_s
    if window_s is None:
        window_s = Decimal(0) if settings.workspace.mode in SIMULATED else LIVE_WINDOW_S
    limits = msgspec.structs.replace(
        profile.limits,
        price_max_age_ns=_ns(settings, execution.price_max_age_s, "price_max_age_s"),
        duplicate_window_ns=_ns(settings, window_s, "duplicate_window_s"),
        cost_cushion_ppb=_cushion_ppb(paper),
        market_cost_ppb=_market_cost_ppb(paper),
        allow_negative_cash=execution.allow_negative_cash,
        target_first_on_bar=execution.target_first_on_bar,
        stops_at_venue=execution.stops_at == "venue",
        targets_at_venue=execution.targets_at == "venue" and settings.workspace.mode == "live",
        stop_grace_ns=_ns(settings, execution.stop_grace_s, "stop_grace_s"),
        naked_page_ns=_ns(settings, execution.naked_page_s, "naked_page_s"),
        exit_waits_ns=_ns(settings, execution.exit_waits_s, "exit_waits_s"),
        refused_stop_flattens=execution.refused_stop == "flatten",
        dead_man_ns=_ns(settings, execution.dead_man_s, "dead_man_s") if settings.workspace.mode == "live" else 0,
        **_breakers(settings),
    )
    if profile.name == "pipeline":
        limits = pipeline_limits(settings.pipeline, settings.risk, limits, functools.partial(_wrong, settings))
    template, preset = settings.instruments.get(TEMPLATE), preset_of(profile.name)
    profile = msgspec.structs.replace(
        profile,
        limits=limits,
        calendar=_calendar(settings, template) or preset.calendar,
        costs=paper.costs,
        id_prefix=_ID_PREFIXES.get((profile.name, settings.workspace.mode), profile.id_prefix),
    )
    complain = functools.partial(_wrong, settings)
    profile = with_policy(profile, settings.policy, settings.risk, complain)
    return with_risk(profile, settings.risk, money_decimals_of(settings), complain)


def _calendar(settings: Settings, template: InstrumentSettings | None) -> str:
    """Whose trading day counts: what the template says, else that of the venue; "": the profile's own."""
    if template is not None and template.calendar:
        return template.calendar
    venue = settings.workspace.venue
    return "24x7" if venue in CRYPTO else {MT5: "forex", KITE: "nse"}.get(venue, "")


def _breakers(settings: Settings) -> dict[str, int]:
    """The five breakers of the document, in the limits' words."""
    five, at = settings.execution.circuit_breakers, ("execution", "circuit_breakers")
    decimals = money_decimals_of(settings)
    return {
        "daily_loss_max": _money(settings, (*at, "max_daily_loss_rupees"), five.max_daily_loss_rupees, decimals),
        "daily_drawdown_max_ppb": rate_ppb_from_fraction(five.max_daily_drawdown_pct, "max_daily_drawdown_pct"),
        "trades_per_day_max": five.max_trades_per_day,
        "trades_per_strategy_max": five.max_trades_per_strategy_per_day,
        "loss_streak_max": five.max_loss_streak,
    }


def paper_settings_of(settings: Settings) -> PaperSettings:
    """How the simulated market trades with us."""
    execution = settings.execution
    mode = execution.fill_mode or ("bid_ask" if execution.use_bid_ask_spread else "ltp")
    slippage_bps = execution.slippage_bps
    if slippage_bps is None:
        slippage_bps = Decimal(preset_of(profile_name(settings)).slippage_bps)
    costs = cost_schedule_of(settings, currency_of(settings), money_decimals_of(settings))
    return PaperSettings(
        fill_mode=_FILL_MODES[mode],
        spread_ppb=_rate_ppb(settings, execution.spread_bps, "execution", "spread_bps"),
        slippage_ppb=_rate_ppb(settings, slippage_bps, "execution", "slippage_bps"),
        partial_fills=execution.partial_fills,
        latency_ns=execution.latency_ms * NS_PER_MS,
        fees=tuple(_fee_rule(settings, index, fee) for index, fee in enumerate(settings.fees)),
        costs=costs,
        money_decimals=0 if costs is None else money_decimals_of(settings),
    )


def instrument_of(settings: Settings, symbol: str) -> Instrument:
    """The instrument of that symbol.

    What the symbol does not say, the template (`instruments.default`) says, else the profile. A symbol that is not
    configured is the template's in paper and backtest; elsewhere that is a ConfigError: live terms are not guessed.
    Raises InputError for what is no symbol.
    """
    symbol = plain_text(symbol, "symbol")
    own = settings.instruments.get(symbol)
    if symbol == TEMPLATE or not symbol or symbol != symbol.strip():
        raise InputError(f"{symbol!r} is not a symbol", code="INVALID_SYMBOL", field="symbol", value=symbol)
    if own is None and settings.workspace.mode not in SIMULATED:
        raise ConfigError(
            f"{symbol} is not under `instruments` ({_where(settings)}): a {settings.workspace.mode} workspace needs"
            " its tick, lot and decimals written down",
            code="UNKNOWN_INSTRUMENT",
            symbol=symbol,
        )
    preset = preset_of(profile_name(settings))
    return _Terms(settings, symbol, own or InstrumentSettings(), preset).instrument()


def opening_of(settings: Settings, ts_ns: int, *, accept_changes: bool = False) -> OpenWorkspace:
    """The first input of the workspace's life, and of each start; `accept_changes`: a live one may have other rules."""
    workspace = settings.workspace
    check_place(settings)
    decimals = money_decimals_of(settings)
    starting_cash = _told(
        settings,
        ("workspace", "starting_equity"),
        lambda: to_quanta(workspace.starting_equity, decimals, field="starting_equity", max_quanta=MONEY_MAX),
        f"it is counted with {decimals} decimals; set workspace.money_decimals lower, and instruments.default."
        "qty_decimals with it, for larger accounts",
    )
    return OpenWorkspace(
        ts_ns=ts_ns,
        workspace_id=workspace.id,
        mode=workspace.mode,
        venue=workspace.venue,
        account=workspace.account,
        currency=currency_of(settings),
        money_decimals=decimals,
        starting_cash=starting_cash,
        profile=profile_of(settings),
        config_hash=config_hash(settings),
        build=build_of_this(),
        accept_changes=accept_changes,
    )


def check_place(settings: Settings) -> None:
    """Mode and venue must belong together. Raises ConfigError."""
    mode, venue = settings.workspace.mode, settings.workspace.venue
    if venue not in ("paper", *REAL_VENUES):
        raise _wrong(settings, ("workspace", "venue"), venue, f"it may be paper or one of {', '.join(REAL_VENUES)}")
    if mode in SIMULATED and venue != "paper":
        raise _wrong(settings, ("workspace", "mode"), mode, f"a workspace at {venue} is dry_run or live")
    if mode not in SIMULATED and venue == "paper":
        raise _wrong(settings, ("workspace", "venue"), venue, f"{mode} needs a real one: {', '.join(REAL_VENUES)}")
    if mode == "live" and settings.execution.dry_run:
        raise _wrong(
            settings, ("execution", "dry_run"), True, "that forbids mode live: take it out to trade with money"
        )


def currency_of(settings: Settings) -> str:
    """The workspace's currency."""
    return settings.workspace.currency or preset_of(profile_name(settings)).currency


def money_decimals_of(settings: Settings) -> int:
    """How finely the workspace counts money."""
    configured = settings.workspace.money_decimals
    if configured is not None:
        return configured
    decimals = preset_of(profile_name(settings)).money_decimals
    return max(decimals, CRYPTO_MONEY_DECIMALS) if settings.workspace.venue in CRYPTO else decimals


def config_hash(settings: Settings) -> str:
    """The hash of what decides: equal settings, equal hash, wherever the files lie."""
    tree = settings.model_dump(mode="json", exclude=set(_OUTSIDE_THE_HASH))
    # Younger than the first journals: where they say nothing they decide nothing, and an old run can still go on.
    if settings.costs == CostSettings():
        del tree["costs"]
    if settings.policy == PolicySettings():
        del tree["policy"]
    if settings.venues == VenuesSettings():
        del tree["venues"]
    for key in _YOUNGER_EXECUTION:
        if key not in settings.execution.model_fields_set:
            del tree["execution"][key]
    for key in _YOUNGER_RISK:
        if getattr(settings.risk, key) is None:
            del tree["risk"][key]
    for instrument in tree["instruments"].values():
        if instrument["segment"] is None:
            del instrument["segment"]
    return hashlib.sha256(msgspec.json.encode(tree, order="deterministic")).hexdigest()


class _Terms:
    """One instrument's settings, the template's and the profile's, asked in this order."""

    def __init__(self, settings: Settings, symbol: str, own: InstrumentSettings, preset: Preset) -> None:
        self.settings = settings
        self.symbol = symbol
        self.own = own
        self.template = settings.instruments.get(TEMPLATE, InstrumentSettings())
        self.preset = preset

    def said(self, key: str) -> tuple[object, tuple[str, ...]]:
        """The configured value of a key (or None), and where it stands."""
        value = getattr(self.own, key)
        if value is not None:
            return value, ("instruments", self.symbol, key)
        return getattr(self.template, key), ("instruments", TEMPLATE, key)

    def number(self, key: str, default: int) -> int:
        value, _ = self.said(key)
        return default if value is None else int(str(value))

    def text(self, key: str, default: str) -> str:
        value, _ = self.said(key)
        return default if value is None else str(value)

    def quanta(self, key: str, decimals: int, default: str, *, max_quanta: int = QTY_MAX) -> int | None:
        """A configured decimal in quanta; where nothing is configured the default, which "" leaves open."""
        value, path = self.said(key)
        if value is None:
            if not default:
                return None
            value, path = default, ("instruments", self.symbol, key)
        return _told(
            self.settings,
            path,
            lambda: to_quanta(str(value), decimals, field=key, max_quanta=max_quanta),
            f"{self.symbol} has {decimals} decimals there: set {key}, or more decimals",
        )

    def instrument(self) -> Instrument:
        """All of it, in integers."""
        price_decimals = self.number("price_decimals", self.preset.price_decimals)
        qty_decimals = self.number("qty_decimals", self.preset.qty_decimals)
        tick = self.quanta("tick", price_decimals, self.tick_default(price_decimals))
        lot = self.quanta("lot", qty_decimals, self.preset.lot)
        min_qty = self.quanta("min_qty", qty_decimals, "0")
        max_qty = self.quanta("max_qty", qty_decimals, "")
        return Instrument(
            instrument_id=self.symbol,
            currency=self.currency(),
            price_decimals=price_decimals,
            qty_decimals=qty_decimals,
            money_per_notional=self.scale(price_decimals, qty_decimals),
            terms=(Terms(0, tick or 1, lot or 1, min_qty or 0, max_qty or QTY_MAX, self.flag("tradable")),),
            pip=self.quanta("pip", price_decimals, self.preset.pip) or 0,
            calendar=self.calendar(),
            underlying=self.text("underlying", ""),
            margin_ppb=self.margin(),
            liquid=self.flag("liquid"),
            segment=segment_for(self.settings, self.symbol, self.text("segment", "")),
        )

    def flag(self, key: str) -> bool:
        value, _ = self.said(key)
        return value is not False

    def margin(self) -> int:
        value, path = self.said("margin_pct")
        return _told(
            self.settings,
            path,
            lambda: rate_ppb_from_pct(str(self.preset.margin_pct if value is None else value), "margin_pct"),
            "give percent with at most 7 decimals",
        )

    def tick_default(self, price_decimals: int) -> str:
        """The profile's tick, unless the configured decimals are too coarse for it: then one quantum."""
        tick = self.preset.tick
        return tick if tick and Decimal(tick) * 10**price_decimals % 1 == 0 else ""

    def currency(self) -> str:
        ours = currency_of(self.settings)
        value, path = self.said("currency")
        if value not in (None, ours):
            raise _wrong(
                self.settings,
                path,
                value,
                f"the workspace keeps {ours}, and conversion between currencies is not built",
            )
        return ours

    def calendar(self) -> str:
        value, path = self.said("calendar")
        name = self.preset.calendar if value is None else str(value)
        try:
            calendar_named(name)
        except ConfigError as error:
            raise _wrong(self.settings, path, name, error.message) from error
        return name

    def scale(self, price_decimals: int, qty_decimals: int) -> int:
        value, _ = self.said("multiplier")
        multiplier = Decimal(1) if value is None else Decimal(str(value))
        try:
            return money_per_notional(multiplier, price_decimals, qty_decimals, money_decimals_of(self.settings))
        except ConfigError as error:
            path = ("instruments", self.symbol)
            raise ConfigError(
                f"{'.'.join(path)}: {error.message} (from {self.settings.source_of(*path)})", key=".".join(path)
            ) from error


def _fee_rule(settings: Settings, index: int, fee: FeeSettings) -> FeeRule:
    at = ("fees", str(index))
    if fee.kind == "per_notional":
        rate = _told(
            settings,
            (*at, "rate_bps"),
            lambda: rate_ppb_from_bps(fee.rate_bps, "rate_bps", allow_negative=True),
            "give basis points with at most 5 decimals, between -10000 and 10000",
        )
        if abs(rate) > PPB:
            raise _wrong(settings, (*at, "rate_bps"), fee.rate_bps, "a fee may be at most the whole value, 10000 bps")
        return FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=rate)
    decimals = money_decimals_of(settings)
    if fee.kind == "per_order":
        return FeeRule(FeeKind.PER_ORDER, per_order=_money(settings, (*at, "amount"), fee.amount, decimals))
    return FeeRule(
        FeeKind.PER_UNIT, per_unit=_money(settings, (*at, "amount"), fee.amount, decimals - _qty_decimals(settings))
    )


def _qty_decimals(settings: Settings) -> int:
    """The quantity decimals that all instruments share: a fee per unit is one number for all of them."""
    preset = preset_of(profile_name(settings))
    template = settings.instruments.get(TEMPLATE, InstrumentSettings())
    shared = preset.qty_decimals if template.qty_decimals is None else template.qty_decimals
    for symbol, own in settings.instruments.items():
        if own.qty_decimals not in (None, shared):
            raise _wrong(
                settings,
                ("instruments", symbol, "qty_decimals"),
                own.qty_decimals,
                f"with a per_unit fee all instruments need the same qty_decimals ({shared})",
            )
    return shared


def _money(settings: Settings, path: tuple[str, ...], amount: Decimal, decimals: int) -> int:
    return _told(
        settings,
        path,
        lambda: to_quanta(amount, max(decimals, 0), field="amount", max_quanta=MONEY_MAX, allow_negative=True),
        f"it may have at most {max(decimals, 0)} decimals; raise workspace.money_decimals for finer fees",
    )


def _cushion_ppb(paper: PaperSettings) -> int:
    """What a purchase may cost beyond its price: half the spread, slippage, and fees on the value."""
    fees = sum(fee.rate_ppb for fee in paper.fees if fee.kind == FeeKind.PER_NOTIONAL and fee.rate_ppb > 0)
    if paper.costs is not None:
        fees += purchase_rate_ppb(Tariff(paper.costs, paper.money_decimals))
    before_fees = _market_cost_ppb(paper)
    return before_fees + -(-fees * (PPB + before_fees) // PPB)


def _market_cost_ppb(paper: PaperSettings) -> int:
    """What an order costs beyond its price that nobody charges: half the spread, and slippage."""
    return paper.slippage_ppb + ((paper.spread_ppb + 1) // 2 if paper.fill_mode == FillMode.BID_ASK else 0)


def _rate_ppb(settings: Settings, bps: Decimal, *path: str) -> int:
    return _told(
        settings,
        path,
        lambda: rate_ppb_from_bps(bps, path[-1]),
        f"give basis points from 0 to {RATE_MAX_PPB // 100_000} with at most 5 decimals",
    )


def _ns(settings: Settings, seconds: Decimal, key: str) -> int:
    return _told(
        settings,
        ("execution", key),
        lambda: to_quanta(seconds, 9, field=key, max_quanta=2**62),
        "give seconds with at most 9 decimals",
    )


def _told(settings: Settings, path: tuple[str, ...], convert: Callable[[], T], allowed: str) -> T:
    """What `convert` gives; its InputError becomes a ConfigError that names the source and what is allowed."""
    try:
        return convert()
    except InputError as error:
        raise ConfigError(
            f"{'.'.join(path)}: {error.message}; {allowed} (from {settings.source_of(*path)})",
            code="INVALID_CONFIG",
            key=".".join(path),
            source=settings.source_of(*path),
        ) from error


def _wrong(settings: Settings, path: tuple[str, ...], value: object, allowed: str) -> ConfigError:
    key, source = ".".join(path), settings.source_of(*path)
    return ConfigError(f"{key} is {str(value)!r}: {allowed} (from {source})", key=key, value=value, source=source)


def _where(settings: Settings) -> str:
    return str(settings.file) if settings.file else "no configuration file was read"
