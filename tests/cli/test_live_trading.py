"""surefill trade at a real venue: dry runs, live runs, and what is refused before anything begins.

The venue is an emulated one behind real HTTP and WebSockets; the client is the broker's own library.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import start, surefill
from tests.engine.post_box import post_box

from surefill.engine.control_client import ask_engine
from surefill.testing.emulators.kite import API_KEY
from surefill.testing.emulators.thread import EmulatorThread
from surefill.venues.kite.sessions import Session, load, store

INFY = "NSE:INFY"

CONFIG = """
workspace: {{id: main, venue: kite, currency: INR, money_decimals: 4}}
execution: {{engine: v3}}
feed: {{symbols: ['NSE:INFY'], timeframe: 1m}}
venues:
  kite: {{root: '{root}', ticker_url: '{ticker}', product: MIS, exchanges: [NSE], api_key: {key}}}
strategies:
  - entry: {{type: sma_cross, params: {{fast: 1, slow: 2}}}}
    risk: {{dollars_per_trade: 20000}}
"""


@pytest.fixture
def kite() -> Iterator[EmulatorThread]:
    with EmulatorThread("kite") as emulated:
        emulated.control(
            "kite_rules", limits={"quotes_per_s": 0, "orders_per_s": 0, "others_per_s": 0}, heartbeat_ms=50
        )
        emulated.price(INFY, 1_500)
        yield emulated


def _configured(folder: Path, kite: EmulatorThread, more: str = "") -> Path:
    file = folder / "surefill.yaml"
    key = API_KEY
    file.write_text(CONFIG.format(root=kite.url, ticker=kite.ws_url, key=key) + more)
    store(
        Session("AB1234", key, kite.control("session")["access_token"], time.time_ns() + 10**12),
        folder / "kite-session.json",
    )
    return file


@contextmanager
def _trading(file: Path, *words: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """`surefill trade` in a process of its own, once its engine answers; calling what is given ends it and tells."""
    process = start(file.parent, "trade", "-c", file, "--json", *words)
    try:
        while (status := _status(file)) is None:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.05)
        assert status["engine"]["accepting"]

        def ended() -> dict[str, Any]:
            assert surefill("stop", "-c", file, "--by", "test").code == 0
            out, err = process.communicate(timeout=20)
            assert process.returncode == 0, err
            _not_shown(file, out + err)
            told: dict[str, Any] = json.loads(out)
            return told

        yield ended
    finally:
        process.kill()
        process.communicate()


def _not_shown(file: Path, said: str) -> None:
    """The session's token stands in its own file and nowhere else: not in journal, files, output or messages."""
    kept = file.parent / "kite-session.json"
    token = load(kept, API_KEY, time.time_ns()).token
    others = [path for path in file.parent.rglob("*") if path.is_file() and path != kept]
    assert len(others) >= 2
    assert [path for path in others if token.encode() in path.read_bytes()] == []
    assert token not in said


def _status(file: Path) -> Any:
    journal = file.parent / "surefill.journal"
    return ask_engine(journal, {"do": "status"}) if journal.exists() else None


def _sent(kite: EmulatorThread) -> int:
    return len(kite.truth().orders)


def test_dry_run_takes_real_prices_and_sends_nothing(tmp_path: Path, kite: EmulatorThread) -> None:
    file = _configured(tmp_path, kite)
    with _trading(file) as ended:
        for px in (1_500, 1_501, 1_502):
            kite.price(INFY, px)
            time.sleep(0.1)
        told = ended()
    assert told["prices"] >= 2
    assert (told["status"]["mode"], told["status"]["venue"]) == ("dry_run", "kite")
    assert _sent(kite) == 0
    assert surefill("replay", "-c", file).code == 0


def test_live_run_calls_somebody_first_and_begins_with_the_cash_that_is_there(
    tmp_path: Path, kite: EmulatorThread
) -> None:
    with post_box() as box:
        file = _configured(tmp_path, kite, f"alerts: {{urls: ['{box.url}']}}\n")
        with _trading(file, "--mode", "live", "--real-money") as ended:
            told = ended()
    assert [title for title, _ in box.calls] == ["surefill main: live trading begins"]
    status = told["status"]
    assert (status["mode"], status["halted"], status["unknown_orders"]) == ("live", "", 0)
    assert float(status["cash"]) > 0


REFUSED = [
    ((), "say --real-money as well"),
    (("--real-money",), "nobody can be called: set alerts.urls"),
    (("--real-money", "--set", "alerts.urls=[json://127.0.0.1:9/]"), "did not take it"),
    (("--real-money", "--without-alerts", "--set", "execution.dry_run=true"), "that forbids mode live"),
    (("--real-money", "--without-alerts", "--set", "strategies=[]"), "no strategy is configured"),
    (("--real-money", "--without-alerts", "--set", "venues.kite.api_key="), "kite needs api_key"),
    (("--real-money", "--without-alerts", "--set", "venues.kite.token_file=no.json"), "run surefill kite login"),
    (("--real-money", "--without-alerts", "--set", "venues.kite.api_key=another"), "session of another API key"),
]


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_live_run_that_must_not_begin_is_refused_before_anything_is_journaled(
    words: tuple[str, ...], why: str, tmp_path: Path, kite: EmulatorThread
) -> None:
    file = _configured(tmp_path, kite)
    ran = surefill("trade", "-c", file, "--mode", "live", *words)
    assert ran.code in (3, 8)
    assert why in ran.err
    assert not (tmp_path / "surefill.journal").exists()
    assert _sent(kite) == 0


def test_venues_are_listed_with_what_they_need(tmp_path: Path, kite: EmulatorThread) -> None:
    told = surefill("venues", "-c", _configured(tmp_path, kite), "--json").json()
    assert [row["venue"] for row in told if row["chosen"]] == ["kite"]
    assert {row["venue"] for row in told} >= {"binance", "kite", "mt5"}
    assert "kite (this workspace's)" in surefill("venues", "-c", tmp_path / "surefill.yaml").out


def test_doctor_asks_the_venue_what_the_keys_may_do(tmp_path: Path, kite: EmulatorThread) -> None:
    file = _configured(tmp_path, kite)
    found = {line["check"]: line for line in surefill("doctor", "-c", file, "--json").json()}
    assert (found["keys"]["verdict"], found["venue's clock"]["verdict"]) == ("ok", "ok")
    assert "they can trade" in found["keys"]["found"]
    assert "10 order per 1 s" in found["limits"]["found"]
    ran = surefill("doctor", "-c", file, "--set", "venues.kite.token_file=no.json", "--json")
    wrong = [line for line in ran.json() if line["verdict"] == "WRONG"]
    assert (ran.code, [line["check"] for line in wrong]) == (7, ["venue"])
