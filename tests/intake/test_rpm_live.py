"""Door 4 and real money: what must be said before an order may reach a terminal, and what a dry run leaves there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.post_box import post_box
from tests.intake.rpm_driving import decision
from tests.intake.rpm_terminal import LIVE, NOTHING, Terminal, adapter, filled
from tests.venues.mt5.rig import TOKEN, gateway

from surefill.errors import ConfigError, RemoteError
from surefill.intake.real_venue import RealVenue
from surefill.intake.rpm import ExecutionStatus, RPMExecutionEngine
from surefill.testing.emulators import EmulatorProcess


@pytest.fixture(scope="module")
def process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess("mt5", ":memory:") as process:
        yield process


def _config(folder: Path, **sections: Any) -> dict[str, Any]:
    files = {"journal": {"path": str(folder / "fx.journal")}, "artifacts": {"dir": str(folder / "files")}}
    return {"workspace": LIVE, **files, **sections}


#: Sections of the configuration, what is said of the real venue (None: nothing but the adapter), and the code.
NOT_SO: list[tuple[dict[str, Any], dict[str, Any] | None, str]] = [
    ({}, None, "REAL_MONEY_NOT_SAID"),
    ({}, {}, "REAL_MONEY_NOT_SAID"),
    ({}, {"real_money": True}, "NOBODY_TO_CALL"),
    ({"execution": {"dry_run": True}}, {"real_money": True, "without_alerts": True}, ""),
    ({"workspace": {"mode": "paper"}}, {"real_money": True, "without_alerts": True}, "PAPER_ONLY"),
]


@pytest.mark.parametrize(("sections", "said", "code"), NOT_SO)
def test_live_door_that_is_not_wanted_so_does_not_open(
    process: EmulatorProcess,
    tmp_path: Path,
    sections: dict[str, Any],
    said: dict[str, Any] | None,
    code: str,
) -> None:
    terminal, market = Terminal(process), adapter(process.port)
    venue = market if said is None else RealVenue(market=market, **said)

    with pytest.raises(ConfigError) as caught:
        RPMExecutionEngine(_config(tmp_path, **sections), venue=venue)

    assert not code or caught.value.code == code
    assert terminal.seen() == NOTHING
    assert not (tmp_path / "fx.journal").exists()


def test_paper_workspace_meets_no_terminal(process: EmulatorProcess, tmp_path: Path) -> None:
    terminal = Terminal(process)

    with pytest.raises(ConfigError, match="it meets no real venue"):
        RPMExecutionEngine(_config(tmp_path, workspace={"mode": "paper"}), venue=adapter(process.port))
    assert terminal.seen() == NOTHING


def test_live_door_calls_somebody_before_it_opens(process: EmulatorProcess, tmp_path: Path) -> None:
    terminal = Terminal(process)

    def opened(url: str) -> RPMExecutionEngine:
        said = RealVenue(market=adapter(process.port), real_money=True)
        return RPMExecutionEngine(_config(tmp_path, alerts={"urls": [url]}), venue=said)

    with post_box() as box:
        box.down = True
        with pytest.raises(RemoteError):
            opened(box.url)
        assert not (tmp_path / "fx.journal").exists()
        box.down = False
        with opened(box.url) as engine:
            assert [title for title, _ in box.calls] == ["surefill fx-live: live trading begins"]
            assert engine.execute(decision()).status is ExecutionStatus.FILLED
    assert terminal.seen() == filled(95_000)


def test_dry_run_counts_in_the_terminals_lots_and_sends_nothing(process: EmulatorProcess, tmp_path: Path) -> None:
    terminal = Terminal(process)
    config = _config(tmp_path, workspace={**LIVE, "mode": "dry_run", "starting_equity": 100_000})

    with RPMExecutionEngine(config, venue=RealVenue(market=adapter(process.port))) as engine:
        done = engine.execute(decision())
        refused = engine.execute(decision("other", position_units=95_500))
        (held,) = engine.positions().values()

    assert (done.status, done.executed_units, done.fill_price) == (ExecutionStatus.FILLED, 95_000, 1.09505)
    assert (refused.status, refused.rejection_reason) == (ExecutionStatus.REJECTED, "VALIDATION_FAILED")
    assert held.quantity == 0.95
    assert terminal.seen() == NOTHING


def test_configured_terminal_is_reached_through_its_gateway(process: EmulatorProcess, tmp_path: Path) -> None:
    terminal = Terminal(process)
    with gateway(process.port) as url:
        ours = {
            "symbols": ["EURUSD"],
            "calendar": "24x7",
            "server_offset_s": 0,
            "gateway_url": url,
            "gateway_token": TOKEN.reveal(),
        }
        config = _config(tmp_path, venues={"mt5": ours})
        with RPMExecutionEngine(config, venue=RealVenue(real_money=True, without_alerts=True)) as engine:
            assert engine.execute(decision()).status is ExecutionStatus.FILLED
    assert terminal.seen() == filled(95_000)


def test_pair_whose_profit_is_in_another_currency_is_refused(process: EmulatorProcess, tmp_path: Path) -> None:
    terminal = Terminal(process)
    process.price("USDJPY", bid="150.000", ask="150.010")
    said = RealVenue(market=adapter(process.port, symbols=("USDJPY",)), real_money=True, without_alerts=True)

    with RPMExecutionEngine(_config(tmp_path), venue=said) as engine:
        refused = engine.execute(decision(symbol="USDJPY"))

    assert refused.status is ExecutionStatus.REJECTED
    assert terminal.seen() == NOTHING
