"""Pages become alerts, journaled before they leave, called out once, until somebody says that he has seen them.

The channel is apprise itself, and the service at its other end a real one on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.engine.post_box import PostBox, post_box
from tests.engine.workspaces import run, started

from surefill.domain import codec
from surefill.domain.effects import Notify
from surefill.domain.events import AlertAcknowledged, AlertDelivered, AlertRaised
from surefill.domain.inputs import AcknowledgeAlert
from surefill.engine.channels import AppriseChannel
from surefill.engine.engine import Engine
from surefill.engine.heartbeat import Pulse, Watch, beat_of
from surefill.engine.pager import Pager, key_of
from surefill.errors import ConfigError, InputError, RemoteError
from surefill.journal import MemoryJournal
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.testing.invariants import check_journal

NAKED = Notify("POSITION_NAKED", "X: no stop for 2000 ms", page=True)
ALERTS = (AlertRaised, AlertDelivered, AlertAcknowledged)


@pytest.fixture
def box() -> Iterator[PostBox]:
    with post_box() as made:
        yield made


def _events(engine: Engine) -> list[str]:
    records = engine.journal.read("w")
    return [type(event).__name__ for event in map(codec.decode, (r.payload for r in records)) if type(event) in ALERTS]


async def _paged(engine: Engine, pager: Pager, notice: Notify = NAKED) -> None:
    """Raise an alarm and wait until its call is over."""
    pager.take("w", notice)
    await asyncio.gather(*pager._at_work.values())


def _pager(engine: Engine, box: PostBox, **fields: int) -> Pager:
    return Pager(engine, AppriseChannel([box.url]), retry_s=(0.001,), **fields)


def test_page_is_journaled_delivered_and_confirmed_and_its_like_is_not_called_out_again(box: PostBox) -> None:
    async def test() -> None:
        engine = await started()
        pager = _pager(engine, box)
        await _paged(engine, pager)
        await _paged(engine, pager, Notify("POSITION_NAKED", "X: no stop for 9000 ms", page=True))
        await _paged(engine, pager, Notify("POSITION_NAKED", "Y: no stop for 2000 ms", page=True))
        assert box.calls == [
            ("surefill w: POSITION_NAKED", "X: no stop for 2000 ms"),
            ("surefill w: POSITION_NAKED", "Y: no stop for 2000 ms"),
        ]
        assert _events(engine) == ["AlertRaised", "AlertDelivered"] * 2
        await pager.stop()
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_what_is_no_page_wakes_nobody(box: PostBox) -> None:
    async def test() -> None:
        engine = await started()
        pager = _pager(engine, box)
        await _paged(engine, pager, Notify("BREAKER_TRIPPED", "daily_loss: too much"))
        assert (box.calls, _events(engine)) == ([], [])
        await engine.stop()

    run(test)


def test_alert_that_nobody_acknowledges_is_called_out_again_after_the_pause(box: PostBox) -> None:
    async def test() -> None:
        engine = await started()
        pager = _pager(engine, box, repeat_ns=1)
        await _paged(engine, pager)
        await _paged(engine, pager)
        assert len(box.calls) == 2
        alert = await engine.read("w", lambda state: state.book.alerts["POSITION_NAKED X"])
        assert (alert.count, alert.due) == (2, False)
        await engine.stop()

    run(test)


def test_acknowledged_alert_is_closed_and_the_next_of_its_kind_calls_anew(box: PostBox) -> None:
    async def test() -> None:
        engine = await started()
        pager = _pager(engine, box)
        await _paged(engine, pager)
        await engine.feed("w", AcknowledgeAlert(engine.clock.now_ns(), "POSITION_NAKED X", "ann"))
        await _paged(engine, pager)
        assert len(box.calls) == 2
        assert _events(engine) == [
            "AlertRaised",
            "AlertDelivered",
            "AlertAcknowledged",
            "AlertRaised",
            "AlertDelivered",
        ]
        with pytest.raises(InputError, match=r"there is no open alert 'Z'.*POSITION_NAKED X"):
            await engine.feed("w", AcknowledgeAlert(engine.clock.now_ns(), "Z", "ann"))
        with pytest.raises(InputError, match="say who acknowledges"):
            await engine.feed("w", AcknowledgeAlert(engine.clock.now_ns(), "", ""))
        await engine.feed("w", AcknowledgeAlert(engine.clock.now_ns(), "", "ann"))
        assert await engine.read("w", lambda state: state.book.alerts) == {}
        await engine.stop()

    run(test)


def test_service_that_is_down_is_tried_until_it_takes_the_call(box: PostBox) -> None:
    async def test() -> None:
        engine = await started()
        pager = _pager(engine, box)
        box.down = True
        pager.take("w", NAKED)
        await asyncio.to_thread(box.wait_for, lambda box: box.refused >= 3)
        assert _events(engine) == ["AlertRaised"]
        box.down = False
        await asyncio.gather(*pager._at_work.values())
        assert len(box.calls) == 1
        assert _events(engine) == ["AlertRaised", "AlertDelivered"]
        await engine.stop()

    run(test)


def test_call_that_did_not_leave_before_the_end_leaves_after_the_next_start(box: PostBox) -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal)
        pager = _pager(engine, box)
        box.down = True
        pager.take("w", NAKED)
        await asyncio.to_thread(box.wait_for, lambda box: box.refused)
        await pager.stop(timeout_s=0)
        await engine.stop()
        assert box.calls == []
        box.down = False
        again = await started(journal)
        pager = _pager(again, box)
        pager.start()
        await asyncio.gather(*pager._at_work.values())
        assert len(box.calls) == 1
        pager.start()
        await asyncio.gather(*pager._at_work.values())
        assert len(box.calls) == 1
        await again.stop()

    run(test)


def test_journal_that_cannot_be_written_does_not_keep_somebody_from_being_called(box: PostBox) -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        pager = _pager(engine, box)
        for nth in range(1, 1_000):
            journal.plan(JournalFault.LOST, nth)
        await _paged(engine, pager, Notify("JOURNAL_LOST", "the disk is gone", page=True))
        await _paged(engine, pager, Notify("JOURNAL_LOST", "the disk is gone", page=True))
        assert box.calls.count(("surefill w: JOURNAL_LOST", "the disk is gone")) == 1
        await engine.stop(timeout_s=0)

    run(test)


@pytest.mark.parametrize(
    ("code", "text", "key"),
    [
        ("UNKNOWN_UNRESOLVED", "abc: no evidence for 30 s", "UNKNOWN_UNRESOLVED abc"),
        ("JOURNAL_LOST", "no space left", "JOURNAL_LOST"),
    ],
)
def test_alert_is_known_by_its_code_and_subject(code: str, text: str, key: str) -> None:
    assert key_of(Notify(code, text)) == key


@pytest.mark.parametrize(("urls", "why"), [([], "is empty"), (["json://ok/", "no address"], "entry 2 is no address")])
def test_channel_that_cannot_be_is_refused_without_showing_addresses(urls: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        AppriseChannel(urls)
    assert "no address" not in str(refused.value).replace("is no address", "")


def test_channel_tells_which_service_did_not_take_a_call(box: PostBox) -> None:
    with post_box() as other:
        other.down = True
        with pytest.raises(RemoteError, match="entry 2 did not take it"):
            AppriseChannel([box.url, other.url]).deliver("title", "text")
    assert box.calls == [("title", "text")]


def test_watch_calls_once_when_the_engine_is_silent_and_once_when_it_is_back(
    box: PostBox, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    answers: list[object] = [None, None, None, None, {"engine": {"broken": ""}}, {"engine": {"broken": "disk"}}]
    monkeypatch.setattr("surefill.engine.heartbeat.ask_engine", lambda *_args, **_kwargs: answers.pop(0))
    watch = Watch(str(tmp_path), AppriseChannel([box.url]), misses=2)
    assert [watch.look() for _ in range(6)] == ["silent"] * 4 + ["alive", "broken"]
    assert [title for title, _ in box.calls] == ["surefill: the engine is silent", "surefill: the engine is back"]


def test_pulse_beats_while_every_workspace_can_be_written(box: PostBox) -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        task = asyncio.create_task(Pulse(engine, beat_of(box.http_url), 0.001).run())
        await asyncio.to_thread(box.wait_for, lambda box: box.beats >= 2)
        engine.desks["w"].break_off(ConfigError("broken for the test"))
        await asyncio.sleep(0.05)  # one that was on its way may still arrive
        beats = box.beats
        await asyncio.sleep(0.05)
        assert box.beats == beats
        task.cancel()
        await engine.stop(timeout_s=0)

    run(test)
