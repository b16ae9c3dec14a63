"""The other end of the control socket, for programs that do not wait on a loop: the CLI."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from surefill.engine.control_path import socket_places
from surefill.errors import RemoteError, SurefillError

TIMEOUT_S: Final = 30.0

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ControlRefused(SurefillError):
    """The engine heard the request and would not; `code` is the engine's."""


def ask_engine(
    journal_path: str | os.PathLike[str], request: Mapping[str, object], *, timeout_s: float = TIMEOUT_S
) -> Any | None:
    """What the engine that runs on this journal answers; None if none listens.

    Raises ControlRefused where it would not, RemoteError (OUTCOME_UNKNOWN) where it was asked and no answer came.
    """
    peer = _connected(journal_path, timeout_s)
    if peer is None:
        return None
    with peer:
        try:
            peer.sendall(msgspec.json.encode(request) + b"\n")
            with peer.makefile("rb") as lines:
                answer = _decode(lines.readline())
        except (OSError, msgspec.DecodeError) as error:
            raise RemoteError(
                f"the engine was asked to {request['do']} and did not answer ({error}):"
                " look at 'surefill status' before asking again",
                code="OUTCOME_UNKNOWN",
            ) from error
    if not answer.get("ok"):
        raise ControlRefused(str(answer.get("message")), code=str(answer.get("code")))
    return answer.get("result")


def _connected(journal_path: str | os.PathLike[str], timeout_s: float) -> socket.socket | None:
    for place in socket_places(journal_path):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(timeout_s)
        try:
            if os.lstat(place).st_uid in (os.getuid(), 0) or os.getuid() == 0:
                peer.connect(os.fspath(place))
                return peer
        except OSError:
            pass  # nobody there: not running, or its socket was left behind
        peer.close()
    return None
