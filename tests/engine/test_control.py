"""A running engine, operated through its socket."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from surefill.config import load_settings
from surefill.domain.intent import Action, Intent
from surefill.engine.control_client import ControlRefused, ask_engine
from surefill.engine.control_path import is_private, make_place, socket_places
from surefill.engine.receipt import Verdict
from surefill.errors import ConfigError
from surefill.intake.session import Session


def _session(folder: Path) -> Session:
    return Session.open(load_settings(None, {"journal.path": str(folder / "j"), "execution.engine": "v3"}, environ={}))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with _session(tmp_path) as opened:
        yield opened


def _buy(session: Session, intent_id: str) -> int:
    intent = Intent(intent_id, intent_id, "signals", "s", "NIFTY", Action.TRADE, 1, 75)
    return session.submit(intent, session.make_quote("NIFTY", last="19500.05")).verdict


def _ask(session: Session, **request: str) -> Any:
    return ask_engine(session.settings.journal_path, request)


def _raw(path: Path, sent: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(str(path))
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in peer.makefile("rb")]


def test_halt_through_the_socket_refuses_intents_until_resume(session: Session) -> None:
    session.serve_control()
    assert _buy(session, "before") == Verdict.ACCEPTED
    halted = _ask(session, do="halt", by="ann", reason="news")
    assert (halted["halted"], halted["halted_reason"]) == ("OPERATOR", "news")
    assert _buy(session, "during") == Verdict.REFUSED
    assert _ask(session, do="resume", by="ann")["halted"] == ""
    assert _buy(session, "after") == Verdict.ACCEPTED


def test_halt_of_one_instrument_leaves_the_others(session: Session) -> None:
    session.serve_control()
    status = _ask(session, do="halt", by="ann", reason="split", instrument="RELIANCE")
    assert (status["halted"], status["halted_instruments"]) == ("", {"RELIANCE": "OPERATOR: split"})
    assert _buy(session, "other") == Verdict.ACCEPTED


def test_status_tells_of_the_engine_and_the_books(session: Session) -> None:
    session.serve_control()
    _buy(session, "one")
    status = _ask(session, do="status")
    told = {key: status[key] for key in ("workspace", "mode", "profile", "open_positions", "currency", "cash")}
    assert told == {
        "workspace": "main",
        "mode": "paper",
        "profile": "v3",
        "open_positions": 1,
        "currency": "INR",
        "cash": "-1452503.75",  # 10000 - 75 x 19500.05
    }
    assert status["engine"] == {"pid": os.getpid(), "accepting": True, "broken": "", "waiting": 0}
    assert status["state_hash"] == session.read(lambda state: state.digest())


def test_reconcile_of_agreeing_books_finds_no_difference(session: Session) -> None:
    session.serve_control()
    _buy(session, "one")
    assert _ask(session, do="reconcile") == {"differences": {}}


def test_orders_and_positions_are_told_in_exact_text(session: Session) -> None:
    session.serve_control()
    _buy(session, "one")
    session.quote("NIFTY", last="19510")
    order = _ask(session, do="orders")[0]
    told = {key: order[key] for key in ("symbol", "side", "cum_qty", "avg_px", "status", "live")}
    assert told == {
        "symbol": "NIFTY",
        "side": "BUY",
        "cum_qty": "75",
        "avg_px": "19500.05",
        "status": "FILLED",
        "live": False,
    }
    position = _ask(session, do="positions")[0]
    told = {key: position[key] for key in ("qty", "avg_px", "mark", "unrealised", "stop_px")}
    assert told == {"qty": "75", "avg_px": "19500.05", "mark": "19510", "unrealised": "746.25", "stop_px": ""}


REFUSED = [
    ({"do": "status", "workspace": "other"}, "UNKNOWN_WORKSPACE"),
    ({"do": "dance"}, "INVALID_REQUEST"),
    ({"do": "halt", "by": "ann"}, "INVALID_REQUEST"),
    ({"do": "halt", "by": "ann", "reason": ""}, "REASON_REQUIRED"),
    ({"do": "halt", "by": "ann", "reason": "x", "instrment": "NIFTY"}, "INVALID_REQUEST"),
    ({"do": "resume", "by": ""}, "REASON_REQUIRED"),
]


@pytest.mark.parametrize(("request_", "code"), REFUSED)
def test_request_that_cannot_be_done_is_refused_with_a_code(
    session: Session, request_: dict[str, str], code: str
) -> None:
    session.serve_control()
    with pytest.raises(ControlRefused) as caught:
        _ask(session, **request_)
    assert caught.value.code == code


def test_lines_of_one_conversation_are_answered_one_by_one_past_a_bad_one(session: Session) -> None:
    path = session.serve_control()
    answers = _raw(path, b'{"do":"status"}\n\xff{\n{"do":"reconcile"}\n')
    assert [answer["ok"] for answer in answers] == [True, False, True]


def test_line_beyond_the_limit_ends_the_conversation(session: Session) -> None:
    path = session.serve_control()
    answers = _raw(path, b"x" * 100_000 + b"\n" + b'{"do":"status"}\n')
    assert [answer["code"] for answer in answers] == ["INVALID_REQUEST"]
    assert _ask(session, do="status")["workspace"] == "main"


def test_stop_is_answered_before_it_is_passed_on(session: Session) -> None:
    asked: list[str] = []
    session.serve_control(on_stop=lambda: asked.append("stop"))
    assert _ask(session, do="stop", by="ann") == {"stopping": True}
    assert _ask(session, do="status")["workspace"] == "main"
    assert asked == ["stop"]


def test_socket_is_for_its_owner_alone_and_goes_with_the_session(tmp_path: Path) -> None:
    with _session(tmp_path) as session:
        path = session.serve_control()
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert path == tmp_path / "j.sock"
    assert not path.exists()
    assert ask_engine(tmp_path / "j", {"do": "status"}) is None


def test_socket_of_a_dead_engine_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "j.sock"))
    assert ask_engine(tmp_path / "j", {"do": "status"}) is None
    with _session(tmp_path) as session:
        session.serve_control()
        assert _ask(session, do="status")["workspace"] == "main"


def test_socket_that_another_engine_put_there_is_left_to_it(tmp_path: Path) -> None:
    with _session(tmp_path) as session:
        place = session.serve_control()
        place.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(place))
            session.close()
            assert place.is_socket()


def test_file_in_the_way_of_the_socket_is_left_alone(tmp_path: Path, session: Session) -> None:
    (tmp_path / "j.sock").write_text("mine")
    with pytest.raises(ConfigError, match="in the way"):
        session.serve_control()
    assert (tmp_path / "j.sock").read_text() == "mine"


def test_path_too_long_for_a_socket_moves_it_to_the_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    runtime = Path("/tmp") / f"sf-{os.getpid()}"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    try:
        with _session(folder) as session:
            path = session.serve_control()
            assert path.is_relative_to(runtime)
            assert _ask(session, do="status")["workspace"] == "main"
    finally:
        (runtime / "surefill").rmdir()
        runtime.rmdir()


def test_place_in_a_folder_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("surefill.engine.control_path.SOCKET_PATH_BYTES_MAX", 300)
    journal = tmp_path / ("a" * 200) / ("b" * 200) / "j"
    first = socket_places(journal)[0].parent
    first.mkdir(mode=0o777)
    first.chmod(0o777)
    assert not is_private(first)
    assert make_place(journal).parent != first


def test_two_journals_never_share_a_place(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    assert not set(socket_places(deep / "a")) & set(socket_places(deep / "b"))
