"""A door at a venue: a dry run first, then real orders at an emulated exchange, and an answer that is lost.

    python examples/door_at_a_venue.py

The exchange is an emulated Binance that speaks the real protocol, and ccxt talks to it: nobody's money moves. Without
the addresses, and with keys of your own, the same program would trade at the real one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from surefill.intake.orders import ExecutionEngineV2, OrderIntent
from surefill.intake.real_venue import RealVenue
from surefill.testing.emulators import EmulatorProcess, Fault

SYMBOL = "BTC/USDT:USDT"
KEYS = {"api_key": "emulated-binance-key", "api_secret": "emulated-binance-secret"}


def settings(exchange: EmulatorProcess, folder: Path, *, dry_run: bool) -> dict[str, object]:
    """What `surefill.yaml` would say. Each phase is a workspace of its own."""
    phase = "dry-run" if dry_run else "live"
    place = {"rest_url": exchange.url, "stream_url": f"{exchange.ws_url}/fstream", "timeout_s": 0.5}
    return {
        "workspace": {"id": phase, "venue": "binanceusdm", "currency": "USDT"},
        "execution": {"dry_run": dry_run},
        "venues": {"crypto": {**KEYS, **place}},
        "journal": {"path": str(folder / f"{phase}.journal")},
        "artifacts": {"dir": str(folder / phase)},
    }


def trade(exchange: EmulatorProcess, folder: Path, *, dry_run: bool) -> None:
    """The same program in both phases: buy, and lose the answer to a second purchase."""
    said = RealVenue(real_money=True, without_alerts=True)  # really: set alerts.urls instead
    config = settings(exchange, folder, dry_run=dry_run)
    with ExecutionEngineV2(config, mode="live", venue=said) as engine:
        bought = engine.execute_intent(OrderIntent(SYMBOL, "example", "BUY", 0.01, intent_id="first"))
        wait(lambda: engine.position_qty(SYMBOL) == 0.01)
        phase, sent = "dry run" if dry_run else "live", len(exchange.truth().orders)
        print(f"{phase}, {bought.status}: {engine.position_qty(SYMBOL)} held, sent: {sent}")
        if dry_run:
            return
        exchange.arm(Fault.LOSE_ANSWER, op="submit")
        exchange.arm(Fault.LOSE_REPORT, times=5)
        lost = engine.execute_intent(OrderIntent(SYMBOL, "example", "BUY", 0.02, intent_id="second"))
        print(f"the answer is lost: {lost.status} {(lost.message or '').partition(':')[0]}")
        wait(lambda: engine.position_qty(SYMBOL) == 0.03)
        print(f"the venue was asked: {engine.position_qty(SYMBOL)} held, sent: {len(exchange.truth().orders)}")


def wait(what: Callable[[], bool], within_s: float = 10.0) -> None:
    """Until it is so: a venue's word takes its time."""
    end = time.monotonic() + within_s
    while not what():
        if time.monotonic() > end:
            raise SystemExit("the venue did not do what it should")
        time.sleep(0.01)


def main() -> None:
    """Both phases, at one exchange."""
    with tempfile.TemporaryDirectory() as scratch, EmulatorProcess("binance", Path(scratch) / "truth.db") as exchange:
        exchange.price("BTCUSDT", 60_000)
        for dry_run in (True, False):
            trade(exchange, Path(scratch), dry_run=dry_run)


if __name__ == "__main__":
    main()
