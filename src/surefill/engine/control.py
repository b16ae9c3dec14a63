"""The control socket: how a person operates a running engine from another process.

A local socket that only its owner may use. One line of JSON asks, one line answers::

    {"do":"halt","by":"ann","reason":"news"}          {"ok":true,"result":{…}}
    {"do":"resume","by":"ann"}                        {"ok":false,"code":"…","message":"…"}

`do` is halt, resume, reconcile, adopt, status, orders, positions, alerts, acknowledge, resolve or stop. `workspace` may
be left out where the engine has one only. What is answered is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from surefill.domain.inputs import AcknowledgeAlert, Halt, Rearm, ResolveOrder, Resume
from surefill.engine.adoption import adopt
from surefill.engine.books import alert_lines, order_lines, position_lines
from surefill.engine.control_stream import of_venue
from surefill.engine.engine import Engine
from surefill.engine.status import status_of
from surefill.errors import ConfigError, InputError, SurefillError
from surefill.logs import logger
from surefill.rules.codes import KillLevel, OrdStatus

LINE_BYTES_MAX: Final = 64 * 1024
IDLE_S: Final = 60.0
OPERATOR: Final = "OPERATOR"

_log = logger("surefill.control")


Level = Literal["normal", "throttle", "suspend", "shutdown"]
Scope = Literal["workspace", "venue", "engine"]


class HaltRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="halt"):
    """Throw a kill switch: of the workspace, of one instrument or strategy in it, of its venue, of the engine."""

    by: str
    reason: str
    workspace: str = ""
    instrument: str = ""
    strategy: str = ""
    level: Level = "suspend"
    scope: Scope = "workspace"


class ResumeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="resume"):
    """Loosen a kill switch, or re-arm a breaker."""

    by: str
    workspace: str = ""
    instrument: str = ""
    strategy: str = ""
    level: Level = "normal"
    scope: Scope = "workspace"
    breaker: str = ""


class ReconcileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="reconcile"):
    """Compare positions with the venue's."""

    workspace: str = ""


class AdoptRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="adopt"):
    """Take over what the venue holds and the books do not know, at these prices where none has been seen."""

    by: str
    workspace: str = ""
    prices: dict[str, str] = {}


class StatusRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="status"):
    """How things stand."""

    workspace: str = ""


class OrdersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="orders"):
    """Live orders and those that ended lately."""

    workspace: str = ""


class PositionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="positions"):
    """Positions, with the last price seen."""

    workspace: str = ""


class AlertsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="alerts"):
    """The alerts that nobody has acknowledged."""

    workspace: str = ""


class AcknowledgeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="acknowledge"):
    """A person has seen an alert; without a key, all of them."""

    by: str
    workspace: str = ""
    key: str = ""


class ResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="resolve"):
    """A named operator ends an order whose fate the venue does not tell, on evidence from elsewhere."""

    by: str
    cl_ord_id: str
    status: Literal["canceled", "rejected", "expired"]
    evidence: str
    workspace: str = ""


class StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="stop"):
    """End the process gracefully: orders stay at their venues."""

    by: str


Request = (
    HaltRequest
    | ResumeRequest
    | ReconcileRequest
    | AdoptRequest
    | StatusRequest
    | OrdersRequest
    | PositionsRequest
    | AlertsRequest
    | AcknowledgeRequest
    | ResolveRequest
    | StopRequest
)

_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode


class ControlServer:
    """Serves the socket on the engine's loop.

    `on_stop` is called when somebody asks the process to end, after the answer has left.
    """

    def __init__(self, engine: Engine, path: Path, *, on_stop: Callable[[], None] | None = None) -> None:
        self.path = path
        self._engine = engine
        self._on_stop = on_stop
        self._server: asyncio.Server | None = None
        self._made = (0, 0)
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the socket. Whoever holds the journal's lock owns its place: a socket left there is a dead one's."""
        self._server = await asyncio.start_unix_server(self._talk, sock=_bound(self.path), limit=LINE_BYTES_MAX)
        self._made = _identity(self.path)

    async def stop(self) -> None:
        """Close the socket and every conversation."""
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            if _identity(self.path) == self._made:  # else it is another engine's, which took the place
                self.path.unlink()
        self._server = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            if _is_ours(writer.get_extra_info("socket")):
                await self._answer_lines(reader, writer)
        except (OSError, TimeoutError):
            pass  # whoever asked has gone, or says nothing
        finally:
            self._talks.discard(task)
            writer.close()

    async def _answer_lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readline()
            except ValueError:  # longer than the limit: where the next line begins is lost
                writer.write(_refusal("INVALID_REQUEST", f"a request may have {LINE_BYTES_MAX} bytes"))
                return
            if not line:
                return
            stopping, answer = await self._answer(line)
            writer.write(answer)
            await writer.drain()
            if stopping and self._on_stop is not None:
                self._on_stop()

    async def _answer(self, line: bytes) -> tuple[bool, bytes]:
        try:
            request = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return False, _refusal("INVALID_REQUEST", f"the request cannot be understood: {error}")
        try:
            result = await self._do(request)
        except SurefillError as error:
            return False, _refusal(error.code, error.message)
        except Exception as error:  # a defect of ours: told, logged, and the engine goes on
            _log.exception("control_failed", request=type(request).__name__)
            return False, _refusal("INTERNAL", f"{type(error).__name__}: {error}")
        return isinstance(request, StopRequest), _encode({"ok": True, "result": result}) + b"\n"

    async def _do(self, request: Request) -> object:
        if isinstance(request, StopRequest):
            _log.warning("stop_asked", by=request.by)
            return {"stopping": True}
        workspace_id = self._workspace(request.workspace)
        if isinstance(request, HaltRequest | ResumeRequest):
            if isinstance(request, ResumeRequest):
                await self._engine.revive(workspace_id)
            await self._decide(workspace_id, decision_of(request, self._engine.clock.now_ns()))
        elif isinstance(request, ReconcileRequest):
            return {"differences": await self._engine.reconcile(workspace_id)}
        elif isinstance(request, AdoptRequest):
            return {"differences": await adopt(self._engine, workspace_id, request.by, request.prices)}
        elif isinstance(request, OrdersRequest):
            return await self._engine.read(workspace_id, order_lines)
        elif isinstance(request, PositionsRequest):
            return await self._engine.read(workspace_id, position_lines)
        elif isinstance(request, ResolveRequest):
            await self._engine.feed(workspace_id, resolution_of(request, self._engine.clock.now_ns()))
        elif isinstance(request, AlertsRequest):
            return await self._engine.read(workspace_id, alert_lines)
        elif isinstance(request, AcknowledgeRequest):
            item = AcknowledgeAlert(self._engine.clock.now_ns(), request.key, request.by)
            await self._engine.feed(workspace_id, item)
            return await self._engine.read(workspace_id, alert_lines)
        return await self._status(workspace_id)

    async def _decide(self, workspace_id: str, item: Halt | Resume | Rearm) -> None:
        if isinstance(item, Rearm) or not item.scope:
            await self._engine.feed(workspace_id, item)
            return
        venue = self._engine.desks[workspace_id].writer.state.book.venue
        await self._engine.throw(of_venue(item, venue))

    async def _status(self, workspace_id: str) -> dict[str, Any]:
        desk = self._engine.desks[workspace_id]
        engine = {
            "pid": os.getpid(),
            "accepting": desk.accepting and desk.broken is None,
            "broken": "" if desk.broken is None else str(desk.broken),
            "waiting": len(desk.inbox),
        }
        if desk.broken is not None:
            return {"workspace": workspace_id, "engine": engine}
        status = await self._engine.read(workspace_id, status_of)
        return {**msgspec.to_builtins(status), "engine": engine}

    def _workspace(self, asked: str) -> str:
        desks = self._engine.desks
        if asked in desks:
            return asked
        if not asked and len(desks) == 1:
            return next(iter(desks))
        known = ", ".join(sorted(desks)) or "none"
        raise InputError(
            f"name one of this engine's workspaces (open: {known}, asked for: {asked or 'none'})",
            code="UNKNOWN_WORKSPACE",
        )


def decision_of(request: HaltRequest | ResumeRequest, now_ns: int) -> Halt | Resume | Rearm:
    """What a person decides, as an input of the core. Raises InputError where it does not say enough."""
    if not request.by or (isinstance(request, HaltRequest) and not request.reason.strip()):
        raise InputError("say who decides, and why", code="REASON_REQUIRED")
    inner = (request.instrument, request.strategy)
    scope = "" if request.scope == "workspace" else request.scope
    if (scope and any(inner)) or all(inner):
        raise InputError("name one thing: an instrument, a strategy, or a scope", code="ONE_SCOPE")
    level = KillLevel[request.level.upper()]
    if isinstance(request, HaltRequest):
        return Halt(now_ns, OPERATOR, request.reason, request.by, *inner, level, scope)
    if request.breaker:
        return Rearm(now_ns, request.breaker, request.by)
    return Resume(now_ns, request.by, *inner, level, scope)


def resolution_of(request: ResolveRequest, now_ns: int) -> ResolveOrder:
    """What an operator decides, as an input of the core."""
    status = int(OrdStatus[request.status.upper()])
    return ResolveOrder(now_ns, request.cl_ord_id, status, request.by, request.evidence)


def _refusal(code: str, message: str) -> bytes:
    return _encode({"ok": False, "code": code, "message": message}) + b"\n"


def _bound(path: Path) -> socket.socket:
    """A socket at `path` that nobody else can use, from its first moment on."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            path.unlink()
        else:
            raise ConfigError(f"{path} is in the way of the control socket and is not one: move it away")
    except FileNotFoundError:
        pass
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        found.bind(os.fspath(path))
    except OSError as error:
        found.close()
        raise ConfigError(f"the control socket {path} cannot be opened: {error}") from error
    finally:
        os.umask(before)
    return found


def _identity(path: Path) -> tuple[int, int]:
    """Which file it is: a number may be used again, but not with the same time."""
    found = path.lstat()
    return found.st_ino, found.st_mtime_ns


def _is_ours(peer: Any) -> bool:
    """Whether the other end runs as us or as root; where the system does not tell, the file's mode must do."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return uid in (0, os.getuid())
