"""The configured strategies as specs, and the runner that knows them."""

from __future__ import annotations

from collections.abc import Sequence

from surefill.config import Settings
from surefill.errors import ConfigError
from surefill.strategy import ExecutionSpec, StrategyRegistry, StrategyRunner, load_spec


def specs_of(settings: Settings, symbols: Sequence[str]) -> tuple[list[ExecutionSpec], StrategyRunner]:
    """A spec for each configured strategy; one without symbols trades all of `symbols`, which are those of the feed.

    A strategy named as `my_file.py:MyStrategy` is loaded from that file, which runs it: a person has named it. Raises
    ConfigError, StrategyError where a file or a class is no strategy, and InputError where a strategy does not exist or
    does not take its parameters.
    """
    if not settings.strategies:
        raise ConfigError("no strategy is configured: add one under `strategies`", key="strategies")
    registry = StrategyRegistry()
    specs = []
    for configured in settings.strategies:
        data = configured.model_dump(mode="json", exclude_none=True)
        entry = data["entry"]
        if ".py:" in entry["type"]:
            entry["type"] = registry.load(entry["type"])
        name = data.pop("name") or entry["type"]
        data["symbols"] = data["symbols"] or list(symbols)
        _check_symbols(name, data["symbols"], symbols)
        spec = load_spec(
            {
                **data,
                "strategy_id": name,
                "timeframe": settings.feed.timeframe,
                "workspace_id": settings.workspace.id,
            }
        )
        registry.check(spec)
        specs.append(spec)
    return specs, StrategyRunner(registry)


def _check_symbols(name: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    unknown = [symbol for symbol in wanted if symbol not in there]
    if unknown:
        raise ConfigError(
            f"strategy {name} trades {', '.join(unknown)}, which the feed does not have (it has {', '.join(there)})",
            key="strategies",
        )
