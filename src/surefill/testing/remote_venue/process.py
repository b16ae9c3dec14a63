"""Running the remote venue from a test: start it, kill it, start it again, and have a hand on it."""

from __future__ import annotations

import os
import socket
import subprocess  # nosec B404: starts this package's own module
import sys
from itertools import count

from surefill.domain.account import AccountMove
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.remote_venue.messages import Answer, Control, Rules, Truth, read_reply, to_line

ANSWER_WITHIN_S = 10.0


class VenueProcess:
    """A venue in a process of its own; `path` holds its truth, which outlives the process. Blocking calls.

    Use it as a context manager. `port` stays the same over `kill` and `start`, so that clients find it again.
    """

    def __init__(self, path: str | os.PathLike[str], port: int = 0) -> None:
        self._path = os.fspath(path)
        self._ids = count(1)
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.start()

    def __enter__(self) -> VenueProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, on the port that it had before."""
        command = [sys.executable, "-m", "surefill.testing.remote_venue", "--db", self._path, "--port", str(self.port)]
        self._process = subprocess.Popen(  # nosec B603: this interpreter, our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the remote venue did not start (exit {self._process.wait()}): see its messages above")
        self.port = int(said)

    def kill(self) -> None:
        """Kill it outright; what it committed stays."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for its end (a CRASH fault brings it about) and return the exit code."""
        assert self._process is not None
        code = self._process.wait(ANSWER_WITHIN_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self._socket is not None:
            self._file.close()
            self._socket.close()
            self._socket = None
        return code

    # -- a hand on it -----------------------------------------------------------------------------------------

    def price(self, instrument_id: str, px: int, qty: int = -1) -> None:
        """Set the price, and how much trades at it (-1: any)."""
        self._ask(Control(next(self._ids), "price", instrument_id=instrument_id, px=px, qty=qty))

    def rules(self, rules: Rules) -> None:
        """Set how it trades."""
        self._ask(Control(next(self._ids), "rules", rules=rules))

    def arm(self, fault: Fault, times: int = 1, *, rate_ppm: int = 0, op: str = "") -> None:
        """Switch a fault on: for the next `times` occasions, or for `rate_ppm` of a million."""
        times = 0 if rate_ppm else times
        self._ask(Control(next(self._ids), "arm", fault=fault.name, times=times, rate_ppm=rate_ppm, op=op))

    def heal(self) -> None:
        """Switch all faults off."""
        self._ask(Control(next(self._ids), "heal"))

    def seed(self, seed: int) -> None:
        """Begin a new row of chance for faults with a rate."""
        self._ask(Control(next(self._ids), "seed", qty=seed))

    def hand(self, account: str, instrument_id: str, side: int, qty: int, px: int = 0) -> None:
        """Make an order by hand, beside whoever trades the account (`px` 0: at the market)."""
        request = Control(next(self._ids), "hand", account, instrument_id=instrument_id, side=side, qty=qty, px=px)
        self._ask(request)

    def withdraw(self, account: str, order_id: str) -> None:
        """Cancel an order that was made by hand."""
        self._ask(Control(next(self._ids), "withdraw", account, order_id=order_id))

    def move(self, account: str, move: AccountMove) -> None:
        """Let cash or a holding move without a trade."""
        self._ask(Control(next(self._ids), "move", account, move=move))

    def truth(self, account: str = "") -> Truth:
        """What really happened, to one account or to all."""
        truth = self._ask(Control(next(self._ids), "truth", account)).truth
        assert truth is not None
        return truth

    def _ask(self, request: Control) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), ANSWER_WITHIN_S)
            self._file = self._socket.makefile("rb")
        self._socket.sendall(to_line(request))
        reply = read_reply(self._file.readline())
        if not isinstance(reply, Answer) or not reply.ok:
            raise RuntimeError(f"the remote venue refused {request}: {reply}")
        return reply
