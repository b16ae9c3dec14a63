"""A door's process is killed at any moment: what it leaves is taken up to the bytes that the journal says."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.intake.door_driving import SYMBOL, Signals

from surefill.journal import SqliteJournal
from surefill.views.projector import Projector

PROGRAM = """
from datetime import UTC, datetime
from surefill.intake.signals import ExecutionContext, ExecutionEngineV3
engine = ExecutionEngineV3({"journal": {"path": "journal"}}, broker_feed={"NIFTY24DECFUT": 19500.0})
context = ExecutionContext("NIFTY24DECFUT", "NIFTY", "MIS", "EMA_20_50", "paper", datetime.now(UTC), "5m")
print("ready", flush=True)
while True:
    engine.process_signal("NIFTY24DECFUT", "BUY", context)
    print("filled", flush=True)
"""


def tree(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and ".surefill" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def rebuilt(folder: Path) -> dict[str, bytes]:
    """The artefacts, from the journal alone."""
    journal = SqliteJournal(folder / "journal", readonly=True)
    view = Projector(folder / "again", journal, "main")
    view.rebuild()
    view.close()
    journal.close()
    return tree(folder / "again")


@pytest.mark.parametrize("seed", range(3))
def test_artefacts_of_random_signals_are_those_of_a_rebuild(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(2):  # with a restart in between
        with Signals(folder=tmp_path, execution={"enable_partial_exit": True, "enable_trailing": True}) as door:
            for _ in range(25):
                px = 19_500.0 + chance.randint(-40, 40) * 5
                door.price(chance.choice([px, px, None]))
                word = chance.choice(["BUY", "SELL", "EXIT", "HOLD"])
                stop = {"BUY": px - 50, "SELL": px + 50}.get(word) if chance.random() < 0.5 else None
                door.maybe(word, fixed_qty=chance.choice([0, 1, 2, 4]), sl_price=stop)
    assert tree(tmp_path / "artifacts") == rebuilt(tmp_path)


@pytest.mark.parametrize("after", [1, 20])
def test_door_whose_process_is_killed_goes_on_with_the_bytes_of_a_rebuild(tmp_path: Path, after: int) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        time.sleep(random.random() / 100)  # nosec B311: anywhere within the next few signals
        process.send_signal(signal.SIGKILL)
    with Signals(folder=tmp_path) as door:
        door.send("BUY")
        held = door.position().quantity
    found = tree(tmp_path / "artifacts")
    assert found == rebuilt(tmp_path)
    assert len(found["orders.csv"].splitlines()) == held + 1
    assert f'"{SYMBOL}"'.encode() in found["checkpoints/paper_state_latest.json"]
    shutil.rmtree(tmp_path / "artifacts")
    with Signals(folder=tmp_path):
        pass
    assert tree(tmp_path / "artifacts") == found
