"""What holds for every test: no outside world, no settings of this machine, reproducible chance."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

LONG_FILE_LINES = 500
ROOT = Path(__file__).resolve().parent.parent

# Whoever reads the machine's local time gets a wrong answer and a failing test: no place is 3 h 17 min off.
os.environ["TZ"] = "ODD-3:17"
time.tzset()

# Whoever runs the tests may have settings of their own: a test sets those that it needs. These are the tests' own.
FOR_TESTS = ("SUREFILL_RECORDED", "SUREFILL_KILL_SEEDS")
for name in [name for name in os.environ if name.startswith("SUREFILL_") and name not in FOR_TESTS]:
    del os.environ[name]

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


class OutsideWorld(RuntimeError):
    """A test tried to talk to a host that is not this machine."""


def _is_outside(family: int, address: object) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return False
    host = str(address[0])
    return not (host.startswith("127.") or host in ("localhost", "::1", "0.0.0.0", "::", ""))


@pytest.fixture(autouse=True, scope="session")
def _no_outside_world() -> Iterator[None]:
    """Refuse every connection that would leave this machine: tests must pass without a network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(original: Callable[..., object]) -> Callable[..., object]:
    def call(self: socket.socket, *args: object) -> object:
        if args and _is_outside(self.family, args[-1]):
            raise OutsideWorld(f"a test tried to reach {args[-1]}: use an emulator on 127.0.0.1")
        return original(self, *args)

    return call


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the files that are getting long, so that somebody thinks about splitting them."""
    lines_of = {path: len(path.read_bytes().splitlines()) for path in (ROOT / "src").rglob("*.py")}
    for path, lines in sorted(lines_of.items(), key=lambda item: -item[1]):
        if lines > LONG_FILE_LINES:
            terminalreporter.write_line(f"long file: {path.relative_to(ROOT)} has {lines} lines")
