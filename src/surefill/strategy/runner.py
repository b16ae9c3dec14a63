"""The runner: a spec, a snapshot and the state of the book in, sized trade intents out. It keeps nothing.

Rules.

1. Exits come first, and nothing blocks them: neither `max_positions` nor a disabled spec.
2. A decision follows from (spec, snapshot, position) alone. Ids derive from spec, symbol and moment: evaluating the
   same moment twice gives the same intents with the same ids, and the second is known as a repetition where it arrives.
3. An exception of a strategy is not swallowed: it becomes a StrategyError that says which spec, symbol and moment.

What is written into an intent's `metadata`: `strategy_id`, `signal`; `fill_at` "close" on end-of-day exits; on entries
with a `stop_target` exit what the engine's exit plan needs besides stop and target: `trail_distance` (units of price),
`time_stop_bars`, `end_of_day`, `ladder` (pairs of a price and a percentage), `stop_partial_pct`; on entries that wait
for their price `order_type` (`price` is then the limit, where there is one), `stop_px` (units of price) and
`time_in_force` GTC: whoever runs the strategy takes them back (`surefill.strategy.resting`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final, Protocol

import msgspec

from surefill.errors import InputError, StrategyError
from surefill.rules.codes import OrdType
from surefill.strategy.decisions import Decision, Position
from surefill.strategy.derived_ids import derived_id
from surefill.strategy.intents import CLOSING, OPENING, TradeAction, TradeIntent
from surefill.strategy.registry import StrategyRegistry
from surefill.strategy.sizing import affordable, exact, exit_prices, ladder_prices, whole_lots, whole_ticks
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import SPEC_NS, ExecutionSpec, ExitSpec
from surefill.units import iso_from_ns

SMALLEST_LOT: Final = Fraction(1, 10**8)  # crypto's eight decimals: where nobody names the lot
_SPECS_KEPT: Final = 4096


class PortfolioState(Protocol):
    """The book as the runner sees it: `PaperState`, or anything with these two."""

    @property
    def cash(self) -> float:
        """Available cash. (Whether it suffices is the gates' question, not the runner's.)"""

    @property
    def positions(self) -> Mapping[str, Position]:
        """Open positions by symbol; one of quantity 0 counts as none."""


class StrategyEvaluation(msgspec.Struct, frozen=True):
    """What came of one evaluation. `evaluation_id` is the correlation id of every intent.

    `signals`: what was seen and what was not done, in order: the strategy's own, `eod_exit_triggered`,
    `entry_skipped_<disabled|max_positions|order_working|price_below_tick|quantity_below_lot>`,
    `exit_skipped_no_position`.
    """

    spec_id: str
    symbol: str
    ts: datetime
    evaluation_id: str
    intents: tuple[TradeIntent, ...]
    signals: tuple[str, ...]
    metadata: dict[str, object]


class StrategyRunner:
    """Evaluates specs with the strategies of a registry."""

    def __init__(self, registry: StrategyRegistry | None = None) -> None:
        self.registry = registry or StrategyRegistry()
        self._checked: dict[int, tuple[ExecutionSpec, ExitSpec]] = {}

    def evaluate(
        self,
        spec: ExecutionSpec,
        snapshot: MarketSnapshot,
        paper_state: PortfolioState,
        *,
        pending_entries: int = 0,
        order_working: bool = False,
        said: Iterable[Decision | str] | None = None,
    ) -> StrategyEvaluation:
        """What the spec's strategy would do with this snapshot.

        `pending_entries`: entries decided but not yet filled; they count against `max_positions`. `order_working`: one
        of them is for this symbol and waits for its price. `said`: what another form of the strategy has said already.
        Raises InputError for a spec or a snapshot that do not fit, StrategyError when the strategy fails.
        """
        exit_spec = self.exit_of(spec)
        if snapshot.symbol not in spec.symbols:
            raise _misfit(f"{snapshot.symbol} is not among its symbols {', '.join(spec.symbols)}", spec)
        if snapshot.timeframe != spec.timeframe:
            raise _misfit(f"bars are {snapshot.timeframe}, the spec's timeframe is {spec.timeframe}", spec)
        positions = paper_state.positions
        position = positions.get(snapshot.symbol)
        if position is not None and position.quantity == 0:
            position = None
        turn = _Turn(spec, snapshot, exit_spec, position)
        if position is not None and snapshot.is_eod and exit_spec.type == "eod":
            turn.close_at_end_of_day(position)
        else:
            turn.held = sum(1 for held in positions.values() if held.quantity != 0) + pending_entries
            turn.order_working = order_working
            self._ask(spec, snapshot, position, turn, said)
        return StrategyEvaluation(
            spec.instance_id,
            snapshot.symbol,
            turn.ts,
            turn.evaluation_id,
            tuple(turn.intents),
            tuple(turn.signals),
            {"strategy": spec.entry.type, "bars": snapshot.bar_count, "last_price": snapshot.last_price},
        )

    def exit_of(self, spec: ExecutionSpec) -> ExitSpec:
        """The spec's exit; a spec is checked when it is first seen. Raises InputError."""
        known = self._checked.get(id(spec))
        if known is not None and known[0] is spec:
            return known[1]
        self.registry.check(spec)
        if len(self._checked) >= _SPECS_KEPT:
            self._checked.clear()
        exit_spec = self.registry.exit_of(spec)
        self._checked[id(spec)] = (spec, exit_spec)
        return exit_spec

    def _ask(
        self,
        spec: ExecutionSpec,
        snapshot: MarketSnapshot,
        position: Position | None,
        turn: _Turn,
        said: Iterable[Decision | str] | None,
    ) -> None:
        strategy = self.registry.get(spec.entry.type)
        try:
            for decision in strategy.evaluate(spec, snapshot, position) if said is None else said:
                turn.take(decision)
        except StrategyError:
            raise
        except Exception as error:
            raise failed(f"{type(error).__name__}: {error}", spec, snapshot.symbol, snapshot.ts_ns) from error


class _Turn:
    """One evaluation while it is made."""

    def __init__(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, exit_spec: ExitSpec, position: Position | None
    ) -> None:
        self._spec = spec
        self._snapshot = snapshot
        self._exit = exit_spec
        self._position = position
        self.held = 0
        self.order_working = False
        self.intents: list[TradeIntent] = []
        self.signals: list[str] = []
        moment = f"{spec.workspace_id}|{spec.instance_id}|{snapshot.symbol}|{snapshot.timeframe}|{snapshot.ts_ns}"
        self._namespace, self.evaluation_id = derived_id(SPEC_NS.bytes, moment)
        self.ts = snapshot.ts

    def close_at_end_of_day(self, position: Position) -> None:
        """The contract's EOD exit, long or short."""
        close = Decision.close_long if position.quantity > 0 else Decision.close_short
        self._close(close("end of day", signal="eod_exit_triggered"), {"fill_at": "close"})

    def take(self, decision: Decision | str) -> None:
        """Note a signal, or turn a decision into an intent or the reason why not."""
        if isinstance(decision, str):
            self.signals.append(decision)
        elif not isinstance(decision, Decision):
            raise self._failed(f"it gave {decision!r}, which is neither a Decision nor text")
        elif decision.action in OPENING:
            self._open(decision)
        elif decision.action in CLOSING:
            self._close(decision, {})
        elif decision.action == TradeAction.SCALE_OUT and decision.quantity is not None:
            self._scale_out(decision, decision.quantity)
        else:
            raise self._failed(f"it cannot decide {decision.action} here")

    def _open(self, decision: Decision) -> None:
        spec, snapshot = self._spec, self._snapshot
        if not spec.enabled:
            self.signals.append("entry_skipped_disabled")
            return
        if self._position is None and self.held >= spec.risk.max_positions:
            self.signals.append("entry_skipped_max_positions")
            return
        if self.order_working:
            self.signals.append("entry_skipped_order_working")
            return
        decision = self._priced(decision)
        entry_price = decision.px or decision.stop_px or snapshot.last_price
        if 0 in (decision.px, decision.stop_px):
            self.signals.append("entry_skipped_price_below_tick")
            return
        if decision.quantity is None:
            quantity = affordable(spec.risk.dollars_per_trade, entry_price, self._lot())
        else:
            quantity = whole_lots(exact(decision.quantity), self._lot())
        if quantity <= 0:
            self.signals.append("entry_skipped_quantity_below_lot")
            return
        self.held += self._position is None
        stop_loss, take_profit, plan = self._protection(decision, entry_price)
        self._emit(decision, quantity, stop_loss, take_profit, {**plan, **_order_terms(decision)})

    def _priced(self, decision: Decision) -> Decision:
        """Its prices in whole ticks: it never trades at a worse one than it says, and is not set off earlier."""
        if decision.ord_type == OrdType.MARKET:
            return decision
        for name, price in (("px", decision.px), ("stop_px", decision.stop_px)):
            if price is not None and not 0 < price < math.inf:
                raise self._failed(f"{name} of an entry must be above 0 (got {price!r})")
        side, step = self._side(decision), self._snapshot.price_step
        return msgspec.structs.replace(
            decision,
            px=None if decision.px is None else whole_ticks(decision.px, step, -side),
            stop_px=None if decision.stop_px is None else whole_ticks(decision.stop_px, step, side),
        )

    def _side(self, decision: Decision) -> int:
        """Which way an opening or an addition goes."""
        if decision.action == TradeAction.SCALE_IN:
            return -1 if self._position is not None and self._position.quantity < 0 else 1
        return -1 if decision.action == TradeAction.OPEN_SHORT else 1

    def _close(self, decision: Decision, metadata: dict[str, object]) -> None:
        side = 1 if decision.action == TradeAction.CLOSE_LONG else -1
        held = self._position.quantity * side if self._position is not None else 0
        if held <= 0:
            self.signals.append("exit_skipped_no_position")
            return
        self._emit(decision, float(held), None, None, metadata)

    def _scale_out(self, decision: Decision, quantity: float) -> None:
        if self._position is None:
            self.signals.append("exit_skipped_no_position")
            return
        part = min(whole_lots(exact(quantity), self._lot()), abs(float(self._position.quantity)))
        if part <= 0:
            self.signals.append("exit_skipped_quantity_below_lot")
            return
        self._emit(decision, part, None, None, {})

    def _protection(
        self, decision: Decision, entry_price: float
    ) -> tuple[float | None, float | None, dict[str, object]]:
        """Stop, target and the rest of the exit plan of an entry: the decision's own, else the spec's."""
        if self._exit.type != "stop_target":
            return decision.stop_loss, decision.take_profit, {}
        step, side = self._snapshot.price_step, self._side(decision)
        stop, target, trail = exit_prices(self._exit, entry_price, step, side)
        wanted = {
            "trail_distance": trail,
            "time_stop_bars": self._exit.time_stop_bars,
            "stop_partial_pct": self._exit.stop_partial_pct,
        }
        plan: dict[str, object] = {name: value for name, value in wanted.items() if value is not None}
        if self._exit.end_of_day:
            plan["end_of_day"] = True
        if self._exit.ladder:
            plan["ladder"] = ladder_prices(self._exit.ladder, entry_price, step, side)
        return decision.stop_loss or stop, decision.take_profit or target, plan

    def _emit(
        self,
        decision: Decision,
        quantity: float,
        stop_loss: float | None,
        take_profit: float | None,
        metadata: dict[str, object],
    ) -> None:
        spec, snapshot = self._spec, self._snapshot
        signal = decision.signal or decision.reason
        self.signals.append(signal)
        self.intents.append(
            TradeIntent(
                id=derived_id(self._namespace, f"{len(self.intents)}|{decision.action}")[1],
                correlation_id=self.evaluation_id,
                workspace_id=spec.workspace_id,
                action=decision.action,
                strategy_entity_id=spec.instance_id,
                symbol=snapshot.symbol,
                timeframe=snapshot.timeframe,
                quantity=quantity,
                price=decision.px or snapshot.last_price,
                stop_loss=stop_loss,
                take_profit=take_profit,
                signal_strength=decision.strength,
                reason=decision.reason,
                created_at=self.ts,
                metadata={"strategy_id": spec.strategy_id, "signal": signal, **metadata, **decision.metadata},
            )
        )

    def _failed(self, what: str) -> StrategyError:
        return failed(what, self._spec, self._snapshot.symbol, self._snapshot.ts_ns)

    def _lot(self) -> Fraction:
        lot = self._snapshot.lot_size or self._spec.risk.lot_size
        return SMALLEST_LOT if lot is None else exact(lot)


def _order_terms(decision: Decision) -> dict[str, object]:
    """What the order of an entry is that waits for its price."""
    if decision.ord_type == OrdType.MARKET:
        return {}
    terms: dict[str, object] = {"order_type": decision.ord_type.name, "time_in_force": "GTC"}
    return terms if decision.stop_px is None else {**terms, "stop_px": decision.stop_px}


def _misfit(what: str, spec: ExecutionSpec) -> InputError:
    return InputError(
        f"the snapshot does not fit spec {spec.name!r}: {what}", code="SNAPSHOT_MISFIT", spec=spec.spec_id
    )


def failed(what: str, spec: ExecutionSpec, symbol: str, ts_ns: int) -> StrategyError:
    """What is raised when the spec's strategy fails."""
    when = iso_from_ns(ts_ns)
    return StrategyError(
        f"strategy {spec.entry.type!r} of spec {spec.name!r} ({spec.spec_id}) failed on {symbol} at {when}: {what}",
        spec_id=spec.spec_id,
        symbol=symbol,
        ts=when,
    )
