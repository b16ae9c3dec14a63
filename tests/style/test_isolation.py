"""tests/conftest.py keeps the tests away from the outside world and from this machine's settings."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time

import pytest

OUTSIDE = ("192.0.2.1", 9)  # an address for documentation, routed nowhere
REFUSED = "a test tried to reach .*192.0.2.1"


def test_connection_to_another_host_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match=REFUSED):
        sock.connect(OUTSIDE)


def test_datagram_to_another_host_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(RuntimeError, match=REFUSED):
        sock.sendto(b"x", OUTSIDE)


def test_connection_of_asyncio_to_another_host_is_refused() -> None:
    with pytest.raises(RuntimeError, match=REFUSED):
        asyncio.run(asyncio.wait_for(asyncio.open_connection(*OUTSIDE), 5))


def test_connection_to_this_machine_is_let_through() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        sock.sendall(b"x")


def test_local_time_is_nobodys_local_time() -> None:
    assert time.localtime(0)[3:5] == (3, 17)
    program = "import time; print(time.localtime(0)[3:5])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "(3, 17)"


def test_environment_holds_no_setting_of_ours() -> None:
    assert [name for name in os.environ if name.startswith("SUREFILL_")] == []
