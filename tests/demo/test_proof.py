"""The proof fails where it should."""

from __future__ import annotations

import pytest
from tests.strategy import runs
from tests.strategy.runs import WORKSPACE, days

from surefill.demo.proof import prove
from surefill.domain import codec
from surefill.domain.events import IntentAccepted, OrderCreated, OrderFilled
from surefill.journal import Batch, MemoryJournal
from surefill.strategy.backtest import Backtest


@pytest.fixture(scope="module")
def whole() -> MemoryJournal:
    """A finished run."""
    journal = MemoryJournal()
    series = {symbol: runs.series_of(symbol, days(14, 7), 1, "1d") for symbol in ("A", "B")}
    writer = runs.opened(journal, sorted(series))
    Backtest(writer, runs.spec_for(series), series, runner=runs.dice_runner(at_close=False)).run()
    return journal


def _copy(journal: MemoryJournal, change: dict[int, bytes] | None = None, drop_keys: bool = False) -> MemoryJournal:
    """The same events under a chain of their own, some of them with another payload."""
    copied = MemoryJournal()
    payloads = runs.payloads_of(journal)
    for seq, payload in (change or {}).items():
        payloads[seq - 1] = payload
    claims = [] if drop_keys else list(journal.read_keys(WORKSPACE))
    copied.append([Batch(copied.open_stream(WORKSPACE), payloads, claims)])
    return copied


def _seq_of(journal: MemoryJournal, kind: type, number: int = 0) -> int:
    found = [r.seq for r in journal.read(WORKSPACE) if isinstance(codec.decode(r.payload), kind)]
    return found[number]


def _refuted(undisturbed: MemoryJournal, killed: MemoryJournal) -> list[str]:
    proof = prove(undisturbed, killed, [WORKSPACE])
    assert proof.ok == all(finding.ok for finding in proof.findings)
    return [finding.text for finding in proof.findings if not finding.ok]


def test_proof_of_equal_runs_holds(whole: MemoryJournal) -> None:
    proof = prove(whole, _copy(whole), [WORKSPACE])
    assert proof.ok
    assert len(proof.findings) == 6
    assert len(proof.digest) == 64


def test_proof_of_a_run_that_lost_its_end_fails(whole: MemoryJournal) -> None:
    events = len(runs.payloads_of(whole))
    refuted = _refuted(whole, runs.cut(whole, events - 1))
    assert f"{WORKSPACE}: the runs differ at event {events}" in refuted


def test_proof_of_a_run_with_one_other_byte_fails(whole: MemoryJournal) -> None:
    seq = _seq_of(whole, IntentAccepted)
    payload = runs.payloads_of(whole)[seq - 1].replace(b'"even"', b'"odds"', 1)
    refuted = _refuted(whole, _copy(whole, {seq: payload}))
    assert f"{WORKSPACE}: the runs differ at event {seq}" in refuted


def test_proof_of_a_run_with_other_money_fails(whole: MemoryJournal) -> None:
    seq = _seq_of(whole, OrderFilled, -1)
    event = codec.decode(runs.payloads_of(whole)[seq - 1])
    assert isinstance(event, OrderFilled)
    payload = runs.payloads_of(whole)[seq - 1].replace(b'"cash":%d' % event.cash, b'"cash":%d' % (event.cash + 1))
    refuted = _refuted(whole, _copy(whole, {seq: payload}))
    assert any("-1 quanta off" in text for text in refuted)
    assert any("the folded states differ" in text for text in refuted)


def test_proof_of_a_run_that_did_an_intent_twice_fails(whole: MemoryJournal) -> None:
    first, second = (_seq_of(whole, OrderCreated, at) for at in (0, 1))
    events = [codec.decode(payload) for payload in runs.payloads_of(whole)]
    one, other = events[first - 1], events[second - 1]
    assert isinstance(one, OrderCreated)
    assert isinstance(other, OrderCreated)
    payload = runs.payloads_of(whole)[second - 1].replace(other.intent_id.encode(), one.intent_id.encode())
    assert "1 done twice, 1 lost" in _refuted(whole, _copy(whole, {second: payload}))


def test_proof_of_a_journal_without_its_keys_fails(whole: MemoryJournal) -> None:
    assert any("is missing" in text for text in _refuted(whole, _copy(whole, drop_keys=True)))
