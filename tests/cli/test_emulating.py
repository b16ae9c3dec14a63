"""`surefill emulate`: it listens, has its first prices, and says what is missing."""

from __future__ import annotations

import json
import signal
import sys
import urllib.request
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.cli.running import start, surefill


def test_emulated_venue_listens_with_its_first_price_until_it_is_interrupted(tmp_path: Path) -> None:
    with start(tmp_path, "emulate", "binance", "--port", "0", "--price", "BTCUSDT=50000", "--json") as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            with urllib.request.urlopen(f"{url}/api/v3/ticker/price?symbol=BTCUSDT", timeout=5) as answer:
                assert json.load(answer) == {"symbol": "BTCUSDT", "price": "50000.00000000"}
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        finally:
            process.kill()


WRONG = [
    (("emulate", "nyse"), 4, "there is no venue 'nyse' to emulate, but binance, kite, mt5"),
    (("emulate", "binance", "--price", "BTCUSDT"), 4, "write SYMBOL=PX"),
]


@pytest.mark.parametrize(("words", "code", "says"), WRONG)
def test_wrong_command_says_what_is_right(words: tuple[str, ...], code: int, says: str) -> None:
    ran = surefill(*words)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


def test_emulating_without_its_packages_says_how_to_install_them() -> None:
    with patch.dict(sys.modules, {"websockets": None}):
        ran = surefill("emulate", "binance")
    assert ran.code == 3
    assert "pip install 'surefill[emulate]'" in ran.err
