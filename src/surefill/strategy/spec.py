"""What to run: one strategy with its settings, on these symbols, in this workspace.

::

    workspace_id: demo
    symbols: [AAPL, MSFT]
    timeframe: 1d
    entry: {type: breakout_52w_high, lookback_days: 252}
    exit: {type: eod}
    risk: {dollars_per_trade: 1000, max_positions: 5}
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from surefill.errors import InputError
from surefill.market.timeframes import canonical_timeframe
from surefill.units import to_quanta

SPEC_NS: Final = uuid.UUID("8425d81e-77f0-4492-aab1-484900049c12")
LOOKBACK_MAX: Final = 100_000
#: Decimals of a percentage in parts per billion.
PCT_DECIMALS: Final = 7


def _countable(pct: float) -> float:
    """Raise ValueError for a percentage that is no whole number of parts per billion."""
    try:
        to_quanta(pct, PCT_DECIMALS, field="percentage")
    except InputError as error:
        raise ValueError(error.message) from error
    return pct


_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Count = Annotated[int, Field(strict=True, ge=1)]
_Share = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=100), AfterValidator(_countable)]
_Percent = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=100)]
#: What a later version has added, and what it stands for where nobody names it: no id changes for it.
_LATER: Final[Mapping[tuple[str, str], object]] = {
    ("entry", "good_for_bars"): 1,
    ("exit", "ladder"): (),
    ("exit", "stop_partial_pct"): None,
}
ParameterValue = StrictBool | StrictInt | _Number | StrictStr


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntrySpec(_Part):
    """When to open. `type` names the strategy; `lookback_days` counts bars of the spec's timeframe (a name from days
    when there were daily bars only); `params` are the strategy's own. `good_for_bars`: for how many bars an entry
    stands that waits for its price; then it is taken back."""

    type: str = ""
    lookback_days: Annotated[int, Field(strict=True, ge=1, le=LOOKBACK_MAX)] = 252
    params: dict[str, ParameterValue] = {}
    good_for_bars: _Count = 1


class LadderSpec(_Part):
    """One partial exit: `profit_pct` in favour of the price at entry, `close_pct` of what is held then leaves."""

    profit_pct: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=10_000)]
    close_pct: _Share


class ExitSpec(_Part):
    """When to close, besides what the strategy itself says.

    `eod`: at the end of the day. On daily bars that is the end of the very bar that the position was opened in.
    `none`: only when the strategy says so.
    `stop_target`: the engine guards the position. Percentages are of the price at entry: `stop_loss_pct` and
    `take_profit_pct` away from it, `trailing_pct` the distance at which the stop follows; `time_stop_bars` closes after
    so many bars; `end_of_day` closes with the session. `ladder` closes parts on the way, in the order given, one
    step for each price or bar. At least one of them. `stop_partial_pct` of what is held leaves when the stop is first
    reached, the rest when it is reached again.
    """

    type: Literal["eod", "none", "stop_target"] = "eod"
    stop_loss_pct: _Percent | None = None
    take_profit_pct: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=10_000)] | None = None
    trailing_pct: _Percent | None = None
    time_stop_bars: _Count | None = None
    end_of_day: StrictBool = False
    ladder: tuple[LadderSpec, ...] = ()
    stop_partial_pct: _Share | None = None

    @model_validator(mode="after")
    def _settings_fit_the_type(self) -> ExitSpec:
        settings = ("stop_loss_pct", "take_profit_pct", "trailing_pct", "time_stop_bars", "end_of_day", "ladder")
        given = [name for name in settings if getattr(self, name)]
        if self.type == "stop_target" and not given:
            raise ValueError(f"stop_target needs at least one of {', '.join(settings)}")
        if self.type != "stop_target" and given:
            raise ValueError(f"{', '.join(given)} would be ignored with type {self.type}; use type stop_target")
        if self.stop_partial_pct is not None and self.stop_loss_pct is None:
            raise ValueError("stop_partial_pct needs stop_loss_pct: it is a part that leaves at the stop")
        return self


class RiskSpec(_Part):
    """How much. `dollars_per_trade` in the workspace's currency; `max_positions` blocks entries, never exits.

    `lot_size` (units) is used where the snapshot does not know the instrument's.
    """

    dollars_per_trade: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
    max_positions: _Count = 5
    lot_size: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)] | None = None


class ExecutionSpec(_Part):
    """One strategy instance. Frozen; raises pydantic.ValidationError (`load_spec`: InputError).

    `strategy_id` and `entry.type` each default to the other. `instance_id` defaults to a UUID made from the content, so
    the same spec is the same instance wherever it is written. Without `exit` the strategy's own default applies. A spec
    that is not `enabled` opens nothing, and still closes.
    """

    workspace_id: Annotated[str, Field(min_length=1)]
    symbols: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    risk: RiskSpec
    strategy_id: str = ""
    instance_id: str = ""
    name: str = ""
    timeframe: str = "1d"
    entry: EntrySpec = EntrySpec()
    exit: ExitSpec | None = None
    enabled: StrictBool = True
    created_at: AwareDatetime | None = None

    @field_validator("timeframe")
    @classmethod
    def _timeframe_is_known(cls, text: str) -> str:
        try:
            return canonical_timeframe(text)
        except InputError as error:
            raise ValueError(error.message) from error

    @field_validator("symbols")
    @classmethod
    def _symbols_differ(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} named twice")
        return symbols

    @model_validator(mode="after")
    def _complete(self) -> ExecutionSpec:
        kind = self.entry.type or self.strategy_id
        if not kind:
            raise ValueError("name the strategy: give entry.type or strategy_id")
        filled = {
            "entry": self.entry.model_copy(update={"type": kind}),
            "strategy_id": self.strategy_id or kind,
            "name": self.name or self.strategy_id or kind,
        }
        for field, value in filled.items():
            object.__setattr__(self, field, value)
        object.__setattr__(self, "instance_id", self.instance_id or str(uuid.uuid5(SPEC_NS, self._content())))
        return self

    @property
    def spec_id(self) -> str:
        """The instance's id: what evaluations cite."""
        return self.instance_id

    def _content(self) -> str:
        """What makes two specs the same instance, in one spelling."""
        content = self.model_dump(mode="json", exclude={"instance_id", "name", "enabled", "created_at"})
        for part, name in _LATER:
            if content[part] is not None and getattr(getattr(self, part), name) == _LATER[part, name]:
                del content[part][name]
        return json.dumps(content, sort_keys=True, separators=(",", ":"))


def load_spec(data: Mapping[str, object], *, code: str = "INVALID_SPEC") -> ExecutionSpec:
    """A spec from decoded JSON or YAML. Raises InputError with that code: every fault, by its dotted path."""
    try:
        return ExecutionSpec.model_validate(data)
    except ValidationError as error:
        faults = [
            (".".join(map(str, fault["loc"])) or "spec", fault["msg"].removeprefix("Value error, "), fault["input"])
            for fault in error.errors(include_url=False)
        ]
        text = "; ".join(f"{path}: {what} (got {_shown(value)})" for path, what, value in faults)
        raise InputError(f"the spec is not valid: {text}", code=code, fields=[path for path, _, _ in faults]) from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
