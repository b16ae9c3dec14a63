"""alerts, watch, resolve: a person is called, says that he has seen it, and decides where a venue is silent."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.running import SYNTHETIC, configured, start, surefill, traded
from tests.engine.post_box import PostBox, post_box
from tests.engine.workspaces import ScriptedVenue, limit

from surefill.config import load_settings
from surefill.domain.effects import Notify
from surefill.domain.events import OrderOutcomeUnknown
from surefill.engine.control_client import ControlRefused, ask_engine
from surefill.errors import VenueOutcomeUnknown
from surefill.intake.session import Session
from surefill.journal import SqliteJournal
from surefill.venues.protocol import Unknown


@pytest.fixture
def box() -> Iterator[PostBox]:
    with post_box() as made:
        yield made


def _alerts(box: PostBox) -> str:
    return f"alerts: {{urls: ['{box.url}']}}\n"


def _raised(file: Path) -> None:
    """A session that had to call somebody."""
    with Session.open(load_settings(file, environ={})) as session:
        pager = session._pager
        assert pager is not None
        notice = Notify("POSITION_DRIFT", "A: ours 1, venue 2", page=True)
        session.engine._loop.call_soon_threadsafe(pager.take, "main", notice)
        session.read(lambda state: None)


def test_alert_is_delivered_listed_and_acknowledged(tmp_path: Path, box: PostBox) -> None:
    file = traded(tmp_path, _alerts(box))
    assert surefill("alerts", "list", "-c", file).out.strip() == "No alert is open."
    _raised(file)
    assert box.calls == [("surefill main: POSITION_DRIFT", "A: ours 1, venue 2")]
    (alert,) = surefill("alerts", "list", "-c", file, "--json").json()
    assert (alert["key"], alert["count"], bool(alert["delivered"])) == ("POSITION_DRIFT A", 1, True)
    assert "ours 1, venue 2" in surefill("alerts", "list", "-c", file).out
    assert surefill("status", "-c", file, "--json").json()["open_alerts"] == 1
    assert surefill("alerts", "ack", "NO_SUCH", "-c", file).code == 4
    assert surefill("alerts", "ack", "POSITION_DRIFT A", "--by", "ann", "-c", file, "--json").json() == []
    assert surefill("replay", "-c", file).code == 0


def test_alerts_of_a_running_engine_are_asked_of_it(tmp_path: Path, box: PostBox) -> None:
    file = configured(tmp_path, SYNTHETIC + _alerts(box))
    with Session.open(load_settings(file, environ={})) as session:
        session.serve_control()
        assert session._pager is not None
        session.engine._loop.call_soon_threadsafe(session._pager.take, "main", Notify("X", "y", page=True))
        box.wait_for(lambda box: box.calls)
        told = ask_engine(session.settings.journal_path, {"do": "alerts"})
        assert told is not None
        assert [alert["key"] for alert in told] == ["X"]
        assert surefill("alerts", "ack", "-c", file, "--json").json() == []
        with pytest.raises(ControlRefused, match="no open alert"):
            ask_engine(session.settings.journal_path, {"do": "acknowledge", "by": "ann", "key": "X"})


def test_channels_can_be_tried(tmp_path: Path, box: PostBox) -> None:
    file = configured(tmp_path, SYNTHETIC + _alerts(box))
    assert surefill("alerts", "test", "-c", file).out.strip() == "Delivered: apprise, 1 address."
    assert [title for title, _ in box.calls] == ["surefill: a test"]
    box.down = True
    ran = surefill("alerts", "test", "-c", file)
    assert (ran.code, "entry 1 did not take it" in ran.err) == (8, True)
    assert surefill("alerts", "test", "-c", configured(tmp_path)).code == 3


def test_addresses_are_never_shown(tmp_path: Path) -> None:
    file = configured(tmp_path, SYNTHETIC + "alerts: {urls: ['tgram://canary/1'], heartbeat_url: 'https://canary'}\n")
    for words in (("show-config",), ("show-config", "--json")):
        ran = surefill(*words, "-c", file)
        assert (ran.code, "canary" in ran.out + ran.err) == (0, False)


def test_watch_notices_an_engine_that_is_killed(tmp_path: Path, box: PostBox) -> None:
    slow = SYNTHETIC.replace("bars: 60", "bars: 60, speed: 60")
    file = configured(tmp_path, slow + _alerts(box))
    engine = start(tmp_path, "trade", "-c", file, "--no-artefacts")
    try:
        assert engine.stderr is not None
        assert "Trading" in engine.stderr.readline()
        assert surefill("watch", "--once", "-c", file).code == 0
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        assert surefill("watch", "--once", "-c", file).code == 8
    finally:
        engine.kill()
        engine.communicate()
    assert [title for title, _ in box.calls] == ["surefill: the engine is silent"]


def _with_unknown_order(file: Path) -> str:
    """An order that the venue says nothing of."""
    silent = ScriptedVenue([Unknown("the wire broke")], [VenueOutcomeUnknown("still broken")] * 1_000)
    with Session.open(load_settings(file, environ={}), venue=silent) as session:
        session.submit(limit("k", px=5_000, instrument_id="A"), session.make_quote("A", last="100"))
    return silent.sent[0].cl_ord_id


def test_operator_ends_an_order_that_its_venue_does_not_tell_of(tmp_path: Path) -> None:
    file = configured(tmp_path)
    cl_ord_id = _with_unknown_order(file)
    words = ("resolve", cl_ord_id, "--status", "canceled", "--by", "ann", "-c", file)
    assert surefill(*words, "--evidence", "").code == 4
    told = surefill(*words, "--evidence", "the broker's statement of today", "--json").json()
    assert told == {"cl_ord_id": cl_ord_id, "status": "canceled", "unknown_orders": 0}
    assert surefill(*words, "--evidence", "again").code == 4
    assert surefill("replay", "-c", file).code == 0
    journal = SqliteJournal(tmp_path / "surefill.journal", readonly=True)
    kinds = [record.payload for record in journal.read("main")]
    journal.close()
    assert sum(b'"OrderResolved"' in payload for payload in kinds) == 1
    assert sum(OrderOutcomeUnknown.__name__.encode() in payload for payload in kinds) == 1
