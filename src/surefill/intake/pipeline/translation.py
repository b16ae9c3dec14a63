"""From a trading signal to an intent in integers, and whatever is wrong with it, by the stage that would notice.

The same signal gives the same intent as far as the signal goes; what depends on the moment (the default stop, a
balance told by a provider) is marked by `SIGNAL_LABEL`, so that a repeated signal is known again.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from surefill.config import Settings
from surefill.config.core import currency_of
from surefill.config.pipeline import PipelineAssetClass, PipelineSettings
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import SizeMethod, SizingCaps, SizingSpec
from surefill.errors import InputError
from surefill.intake.pipeline.events import TradingSignalGenerated
from surefill.intake.pipeline.places import MARKET_TYPES, place_traded
from surefill.rules.arithmetic import rate_floor
from surefill.units import NS_PER_S, PCT_PPB, PPB, PRICE_MAX, RATE_MAX_PPB, observed_quanta, quanta_text, to_quanta

T = TypeVar("T")

DOOR: Final = "pipeline"
STRATEGY: Final = "decision_engine"
SIGNAL_LABEL: Final = "signal"
VALIDATION: Final = "validation"
RISK: Final = "risk"
_SIDES: Final = {"BUY": 1, "LONG": 1, "SELL": -1, "SHORT": -1}
_FIGURE_MAX_PPB: Final = 10**6 * PPB
_SYMBOL: Final = re.compile(r"([A-Z0-9]{1,20})/([A-Z0-9]{2,10})(?::([A-Z0-9]{2,10}))?")


@dataclass(frozen=True)
class Account:
    """What providers told: a balance in money quanta (None: nobody was asked), with our own cash to compare it with.

    `elsewhere`: positions that we do not hold ourselves. `problem`: a provider did not answer.
    """

    balance: int | None = None
    cash: int = 0
    elsewhere: int = 0
    problem: Refusal | None = None


@dataclass(frozen=True)
class Draft:
    """A signal as an intent. `own_quote` is the market as the signal tells it, `quote` the one it is executed at.

    `refusals`: the first thing wrong at each stage. `capped` says that the size was made smaller, and how.
    """

    intent: Intent
    own_quote: Quote | None = None
    quote: Quote | None = None
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    capped: str = ""

    @property
    def refusal(self) -> Refusal | None:
        """The first thing wrong with it."""
        return next(iter(self.refusals.values()), None)


def base_of(symbol: str) -> str:
    """BTC of BTC/USDT."""
    return symbol.partition("/")[0]


def symbol_refusal(symbol: object, settings: Settings) -> Refusal | None:
    """Why a symbol cannot be traded here: it is not written BASE/QUOTE, or counts in another currency than we do."""
    found = _SYMBOL.fullmatch(symbol) if isinstance(symbol, str) else None
    if found is None:
        return Refusal(RefusalCode.INVALID_INPUT, f"symbol {symbol!r} is not written like BTC/USDT")
    currency, ours = found[3] or found[2], currency_of(settings)
    if currency == ours:
        return None
    return Refusal(
        RefusalCode.INVALID_INPUT,
        f"{symbol} counts in {currency}, this workspace in {ours}: use a workspace whose currency is {currency}",
    )


def draft_of(
    signal: TradingSignalGenerated,
    settings: Settings,
    instrument: Instrument | None,
    market: Quote | None,
    account: Account,
    *,
    story: str,
    now_ns: int,
    found: Refusal | None = None,
) -> Draft:
    """Read everything. `market` None: the signal's own price is the market. `found` is wrong with it already."""
    reader = _Reader(signal, settings, instrument)
    if found is not None:
        reader.refuse(VALIDATION, found)
    reader.check_words()
    side = reader.side()
    entry_px = reader.entry_px()
    own_quote = Quote(str(signal.symbol), now_ns, entry_px, source=Source.CALLER) if entry_px else None
    sizing, capped = reader.sizing(account)
    intent = Intent(
        intent_id=str(signal.intent_id or ""),
        correlation_id=story,
        door=DOOR,
        strategy_id=STRATEGY,
        instrument_id=str(signal.symbol),
        action=Action.OPEN,
        side=side,
        order_qty=0,
        plan=reader.plan(side, entry_px, market),
        reason=",".join(map(str, signal.primary_signals)),
        context=_labels(signal),
        figures=reader.figures(account),
        sizing=sizing,
    )
    if account.problem is not None:
        reader.refuse(RISK, account.problem)
    return Draft(intent, own_quote, market or own_quote, reader.in_order(), capped)


class _Reader:
    """Turns values into integers; remembers the first of each stage that could not be."""

    def __init__(self, signal: TradingSignalGenerated, settings: Settings, instrument: Instrument | None) -> None:
        self.refusals: dict[str, Refusal] = {}
        self._signal = signal
        self._settings = settings
        self._pipeline: PipelineSettings = settings.pipeline
        self._decimals = instrument.price_decimals if instrument else 0
        self._known = instrument is not None

    def refuse(self, stage: str, refusal: Refusal) -> None:
        self.refusals.setdefault(stage, refusal)

    def in_order(self) -> dict[str, Refusal]:
        """What was refused, by stage, as the chain would come upon it."""
        return {stage: self.refusals[stage] for stage in (VALIDATION, RISK) if stage in self.refusals}

    def _wrong(self, reason: str, code: RefusalCode = RefusalCode.INVALID_INPUT) -> None:
        self.refuse(VALIDATION, Refusal(code, reason))

    def _read(self, convert: Callable[[], T], instead: T) -> T:
        try:
            return convert()
        except InputError as error:
            self._wrong(error.message)
            return instead

    def check_words(self) -> None:
        """Symbol, exchange, kind of market, size: what no gate can see."""
        signal = self._signal
        exchange, valid = str(signal.exchange).strip().lower(), self._pipeline.valid_exchanges
        kind = str(signal.market_type).strip().lower()
        place = place_traded(self._settings)
        if exchange not in [name.lower() for name in valid]:
            self._wrong(f"exchange {signal.exchange!r} is not one of {', '.join(valid) or 'none'}")
        elif place is not None and place.exchange != exchange:
            self._wrong(f"the signal is for {exchange}, this workspace trades at {place}: send it to that one's")
        if kind not in MARKET_TYPES:
            self._wrong(f"market type {signal.market_type!r} is not one of {', '.join(MARKET_TYPES)}")
        elif place is not None and not place.trades(kind):
            self._wrong(f"the signal is for the market {kind}, this workspace trades at {place}")

    def side(self) -> int:
        """+1 or -1; 0 beside a refusal."""
        side = _SIDES.get(str(getattr(self._signal.side, "value", self._signal.side)).strip().upper(), 0)
        if not side:
            self._wrong(f"side {self._signal.side!r} is not BUY or SELL")
        return side

    def entry_px(self) -> int:
        """The price that the signal was made at, in quanta."""
        if not self._known:
            return 0
        value = self._signal.entry_price
        return self._read(lambda: observed_quanta(value, self._decimals, field="entry_price"), 0)

    def plan(self, side: int, entry_px: int, market: Quote | None) -> ExitPlan:
        """The exits: the signal's, a default stop where it has none, trailing and a time limit by asset class."""
        kind = self._asset_class()
        trail = rate_floor(entry_px, _pct_ppb(kind.trailing_pct)) if kind else 0
        return ExitPlan(
            stop_px=self._level(self._signal.stop_loss, "stop_loss") or self._default_stop(side, entry_px, market),
            target_px=self._level(self._signal.take_profit, "take_profit"),
            trail_distance=trail,
            max_hold_ns=int(kind.max_hold_s * NS_PER_S) if kind else 0,
        )

    def _level(self, value: Any, name: str) -> int:
        """A price of the plan; one that is 0 or less is not "none"."""
        if value is None or not self._known:
            return 0
        px = self._read(lambda: to_quanta(value, self._decimals, field=name, max_quanta=PRICE_MAX), -1)
        if px == 0:
            self._wrong(f"{name} is 0: leave it out when there is none")
        return max(px, 0)

    def _default_stop(self, side: int, entry_px: int, market: Quote | None) -> int:
        """As far away as is allowed, from the signal's price and from the market's: the nearer of the two."""
        if self._signal.stop_loss is not None or not side or not entry_px:
            return 0
        prices = [entry_px]
        if market is not None:
            prices.append((market.ask_px if side > 0 else market.bid_px) or market.last_px or entry_px)
        share_ppb = _pct_ppb(self._pipeline.max_stop_loss_pct)
        stops = [px - side * rate_floor(px, share_ppb) for px in prices]
        return max(stops) if side > 0 else min(stops)

    def _asset_class(self) -> PipelineAssetClass | None:
        classes, base = self._pipeline.asset_classes, base_of(str(self._signal.symbol))
        named = next((kind for kind in classes.values() if base in kind.bases), None)
        return named or classes.get("default")

    def sizing(self, account: Account) -> tuple[SizingSpec, str]:
        """Percent of the balance, capped, of the smaller balance where a provider tells one; and how it was capped."""
        given = self._signal.position_size_pct
        asked = self._pipeline.default_position_size_pct if given is None else given
        ppb = self._read(lambda: to_quanta(asked, 7, field="position_size_pct", max_quanta=RATE_MAX_PPB), 0)
        if ppb <= 0 or ppb > 100 * PCT_PPB:
            self._wrong(f"position_size_pct {asked} is not above 0 and at most 100")
        cap_ppb, capped = _pct_ppb(self._pipeline.max_position_size_pct), ""
        if ppb > cap_ppb:
            capped = f"position size {quanta_text(ppb, 7)} % was capped at {quanta_text(cap_ppb, 7)} %"
            ppb = cap_ppb
        if account.balance is None or account.balance >= account.cash:
            return SizingSpec(SizeMethod.BALANCE_SHARE, fraction_ppb=ppb), capped
        if account.balance <= 0:
            self.refuse(
                RISK, Refusal(RefusalCode.SIZE_ZERO_LOTS, "the balance that was told is 0: nothing to trade with")
            )
        budget = rate_floor(max(0, account.balance), ppb)
        return SizingSpec(SizeMethod.FIXED_CASH, cash_money=budget, caps=SizingCaps(within_cash=True)), capped

    def figures(self, account: Account) -> dict[str, int]:
        """What gates are given to judge by."""
        found = {}
        for figure, value in (
            ("signal_strength", self._signal.signal_strength),
            ("confluence", self._signal.confluence_score),
        ):
            ppb = self._figure(value, figure)
            if ppb is not None:
                found[figure] = ppb
        if account.elsewhere:
            found["positions_elsewhere"] = account.elsewhere
        return found

    def _figure(self, value: Any, name: str) -> int | None:
        """A score in parts per billion. What is finer is cut off, downwards: it never lets anything pass."""
        number = value.item() if hasattr(value, "item") else value  # a numpy scalar
        if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or not math.isfinite(number):
            self._wrong(f"{name} {value!r} is not a number")
            return None
        ppb = math.floor(Decimal(str(number)) * PPB)
        if ppb not in range(-_FIGURE_MAX_PPB, _FIGURE_MAX_PPB + 1):
            self._wrong(f"{name} {value!r} is out of all proportion")
            return None
        return ppb


def _pct_ppb(value: Decimal) -> int:
    return int(value * PCT_PPB)


def _labels(signal: TradingSignalGenerated) -> dict[str, str]:
    """What projections show, and what tells two signals under one key apart."""
    labels = {
        "exchange": str(signal.exchange).strip().lower(),
        "market_type": str(signal.market_type).strip().lower(),
        "tf": str(signal.timeframe),
        SIGNAL_LABEL: signal_digest(signal),
    }
    return {name: value for name, value in labels.items() if value}


def signal_digest(signal: TradingSignalGenerated) -> str:
    """The signal's content, without its time: what its key stands for."""
    content = {
        name: getattr(signal, name)
        for name in type(signal).__dataclass_fields__
        if name not in ("timestamp", "correlation_id")
    }
    return hashlib.sha256(msgspec.json.encode(content, enc_hook=str, order="deterministic")).hexdigest()[:16]
