"""The examples run as they are, each in a process and a folder of its own, and say what their readers will see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT

EXAMPLES = ROOT / "examples"

#: Example -> what every line of its output must be.
SAYS = {
    "door_at_a_venue.py": [
        r"dry run, PLACED: 0\.01 held, sent: 0",
        r"live, (PLACED|FILLED): 0\.01 held, sent: 1",
        r"the answer is lost: PLACED OUTCOME_UNKNOWN",
        r"the venue was asked: 0\.03 held, sent: 2",
    ],
    "my_strategy.py": [r"\d{4}-\d\d-\d\d (OPEN|CLOSE)_LONG .*", r"cash \d+\.\d\d, holding .*"],
    "paper_trading.py": [
        r"BUY 150 at 19501\.95: FILLED",
        r"the same intent again: order the same",
        r"at 19445\.0: 75 held",
        r"after a restart: 75 held",
        r"at 19440\.0: 0 held, realised -\d+\.\d\d before fees",
        r"\d+ events, all of them verified",
    ],
    "rpm_execution.py": [
        r"REJECTED: SPREAD_TOO_WIDE",
        r"kept for later: \['rpm-1'\]",
        r"FILLED: 95000 at 1\.09505, 0\.5 pips",
        r"the same decision again: the same execution",
        r"REJECTED: TRADING_HALTED, drawdown of 10 %",
        r"after the target: 0 held",
        r"1 of 3 filled, rejected for SPREAD_TOO_WIDE, TRADING_HALTED",
        r"log: rpm-[12] (FILLED|REJECTED)",
        r"refused: the execution log is never changed",
    ],
    "signal_pipeline.py": [
        r"filled: BUY 0\.0040 BTC/USDT at 50000\.0, 0\.1998 USDT",
        r"refused: ETH/USDT CONFLUENCE_TOO_LOW: confluence score 2 is below 3: .*",
        r"filled: BUY 3\.2634 SOL/USDT at 150\.0, 0\.4895 USDT",
        r"warned: position size 20 % was capped at 5 %",
        r"filled: SELL 0\.0040 BTC/USDT at 52000\.0, 0\.2078 USDT",
        r"closed: BTC/USDT by target, \+7\.58 USDT",
        r"3 filled, 1 rejected, equity 10007\.09 USDT",
        r"1 subscriber failed: a subscriber's own fault",
    ],
    "sweep.py": [
        r"[123]\. .*: [+-]\d+\.\d % in \d+ trades",
        r"chosen: \+16\.6 %, and \+3\.1 % on unseen bars",
        r"more than luck with a probability of 54%, for 10 variants",
        r"open .*run\.html",
    ],
    "backtest_with_report.py": [r"(AAPL|IBM|MSFT|total) +\d+ trades +-?\d+(\.\d+)? USD", r"open .*report\.html"],
}


def _run(name: str, folder: Path) -> list[str]:
    environment = {**os.environ, "HOME": str(folder)}
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == SAYS.keys()


@pytest.mark.parametrize("name", SAYS)
def test_example_runs_and_says_what_it_says(name: str, tmp_path: Path) -> None:
    lines = _run(name, tmp_path)
    if name == "backtest_with_report.py":
        page = (tmp_path / "artifacts/dips/report.html").read_text()
        assert "Buy the dip" in page
        assert '"ok":true' in page
        assert _run(name, tmp_path) == lines, "going on with a finished backtest gives something else"
    unexpected = [line for line in lines if not any(re.fullmatch(pattern, line) for pattern in SAYS[name])]
    assert unexpected == []
    missing = [pattern for pattern in SAYS[name] if not any(re.fullmatch(pattern, line) for line in lines)]
    assert missing == []
