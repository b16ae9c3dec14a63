"""The chain is what its description says, for ever: written down as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from surefill.errors import JournalCorrupt
from surefill.journal import Head, Record, genesis, verified
from surefill.journal.chain import link, link_hashes, link_rows

GOLDEN = [
    ("main", 1, 1, b'{"a":1}', "eaa7ad423685e45a6a2c9a75dbc4b9b4a59a659b187940457fa32390b05cb822"),
    ("main", 2, 7, b"", "3ab1d7ebdf1a9dbd41f73cb1e582c4c58b3596b69bad212539de40d7ac23858e"),
    ("wörk", 2**40, 2**33, b"\0" * 1000, "4f9fbb9b767d8e35e9e3765e52cf9668f2a99deb7f6c464add00bf7ed8a7d6b5"),
]


def by_the_book(head: bytes, seq: int, epoch: int, payload: bytes) -> bytes:
    """The formula, written a second time from its description."""
    message = b"surefill/event/1\x00" + head + seq.to_bytes(8, "big") + epoch.to_bytes(8, "big") + payload
    return hashlib.sha256(message).digest()


def records(*epochs: int) -> list[Record]:
    head, made = genesis("main"), []
    for seq, epoch in enumerate(epochs, 1):
        head = by_the_book(head, seq, epoch, b"%d" % seq)
        made.append(Record(seq, "main", seq, epoch, b"%d" % seq, head))
    return made


START = Head(0, 0, genesis("main"))


def test_genesis_differs_for_each_workspace() -> None:
    assert genesis("main").hex() == "a551406c450927fe048b8865456326fbd341f468b7d4b97541f3ac6cef4eb71b"
    assert len({genesis(name) for name in ("", "main", "Main", "main ")}) == 4


@pytest.mark.parametrize(("workspace_id", "seq", "epoch", "payload", "expected"), GOLDEN)
def test_link_of_known_events_gives_known_hashes(
    workspace_id: str, seq: int, epoch: int, payload: bytes, expected: str
) -> None:
    found = link(genesis(workspace_id), seq, epoch, payload)
    assert found.hex() == expected
    assert found == by_the_book(genesis(workspace_id), seq, epoch, payload)


def test_link_rows_and_hashes_agree_with_link() -> None:
    payloads = [b"a", b"", b"c" * 500]
    head, expected = genesis("main"), []
    for seq, payload in enumerate(payloads, 5):
        head = link(head, seq, 3, payload)
        expected.append(head)
    assert link_hashes(3, 5, genesis("main"), payloads) == expected
    rows = link_rows(9, 3, 5, genesis("main"), payloads)
    assert rows == [(9, 5 + n, 3, expected[n], payload) for n, payload in enumerate(payloads)]


def test_verified_of_a_sound_stream_passes_every_record_on() -> None:
    sound = records(1, 1, 2, 5)
    assert list(verified(sound, START)) == sound
    assert list(verified(sound[2:], Head(2, 1, sound[1].chain_hash))) == sound[2:]


SPOILED: list[tuple[str, int, Callable[[list[Record]], list[Record]]]] = [
    ("edited", 2, lambda r: [r[0], r[1]._replace(payload=b"x"), r[2]]),
    ("epoch edited", 2, lambda r: [r[0], r[1]._replace(epoch=2), r[2]]),
    ("hash edited", 2, lambda r: [r[0], r[1]._replace(chain_hash=bytes(32)), r[2]]),
    ("seq edited", 3, lambda r: [r[0], r[1], r[2]._replace(seq=4)]),
    ("deleted", 2, lambda r: [r[0], r[2]]),
    ("first deleted", 1, lambda r: r[1:]),
    ("repeated", 2, lambda r: [r[0], r[0], r[1], r[2]]),
    ("swapped", 2, lambda r: [r[0], r[2], r[1]]),
]


@pytest.mark.parametrize(("how", "seq", "spoil"), SPOILED, ids=[how for how, _, _ in SPOILED])
def test_verified_of_a_spoiled_stream_stops_at_the_event(
    how: str, seq: int, spoil: Callable[[list[Record]], list[Record]]
) -> None:
    passed: list[Record] = []
    with pytest.raises(JournalCorrupt, match=f"event {seq}") as caught:
        passed.extend(verified(spoil(records(1, 1, 1)), START))
    assert caught.value.values["seq"] == seq
    assert passed == records(1, 1, 1)[: seq - 1], how


def test_verified_of_a_falling_epoch_stops_though_the_hashes_fit() -> None:
    with pytest.raises(JournalCorrupt, match="epoch 1 is below 2"):
        list(verified(records(1, 2, 1), START))


def test_verified_up_to_the_head_passes_a_whole_stream_and_one_that_has_grown_since() -> None:
    sound = records(1, 1, 2, 5)
    for until in (Head(2, 1, sound[1].chain_hash), Head(4, 5, sound[3].chain_hash)):
        assert list(verified(sound, START, until)) == sound
    assert list(verified([], START, START)) == []


@pytest.mark.parametrize(
    ("kept", "until", "seq"),
    [
        (3, Head(4, 1, bytes(32)), 4),  # the last one is gone
        (0, Head(4, 1, bytes(32)), 1),  # all are
        (4, Head(4, 1, bytes(32)), 4),  # another one stands there
        (4, Head(2, 1, bytes(32)), 2),
        (0, Head(0, 1, bytes(32)), 0),  # the stream of another workspace
    ],
)
def test_verified_of_a_stream_that_misses_its_head_says_so(kept: int, until: Head, seq: int) -> None:
    with pytest.raises(JournalCorrupt, match="restore from a copy") as caught:
        list(verified(records(1, 1, 1, 1)[:kept], START, until))
    assert caught.value.values["seq"] == seq
