"""Export and import: the same bytes back, everything or nothing, errors that name the line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.errors import InputError, JournalCorrupt, JournalError
from surefill.journal import (
    Batch,
    Journal,
    KeyClaim,
    MemoryJournal,
    Record,
    SqliteJournal,
    export_journal,
    genesis,
    import_journal,
)
from surefill.journal.chain import link

PAYLOADS = [
    b'{"type":"Filled","px":101250,"note":"\xc3\xa9\\u00e9"}',
    b'{"big":123456789012345678901234567890,"f":1.50,"dup":1,"dup":2}',
    b"[]",
    b'"text"',
    b'{"spaced" :  1}',
    b' {"led":1}',
    b'{"trailed":1}\n',
    b'{"two":\n"lines"}',
    b"not json",
    b"",
    b"\xff\xfe",
    b"NaN",
    b"[" * 5_000 + b"]" * 5_000,
]
IN_CLEAR = 5


def exported(journal: Journal) -> bytes:
    out = io.BytesIO()
    export_journal(journal, out)
    return out.getvalue()


def imported(text: bytes) -> MemoryJournal:
    journal = MemoryJournal()
    import_journal(io.BytesIO(text), journal)
    return journal


def filled(payloads: list[bytes]) -> MemoryJournal:
    journal = MemoryJournal()
    main, other = journal.open_stream("main"), journal.open_stream("other")
    for payload in payloads:
        claim = KeyClaim("paper", f"key-{main.next_seq}", b"\0digest", main.next_seq, "correlation")
        assert journal.append([Batch(main, [payload], [claim]), Batch(other, [payload])]) == [None, None]
    journal.open_stream("other")
    journal.open_stream("empty")
    return journal


def test_export_puts_payloads_of_one_line_of_json_in_the_clear() -> None:
    lines = exported(filled(PAYLOADS)).splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[0] == "header"
    assert kinds[1 : 1 + 2 * IN_CLEAR] == ["event"] * 2 * IN_CLEAR
    assert kinds[1 + 2 * IN_CLEAR : 1 + 2 * len(PAYLOADS)] == ["event_base64"] * 2 * (len(PAYLOADS) - IN_CLEAR)
    assert kinds[1 + 2 * len(PAYLOADS) :] == ["key"] * len(PAYLOADS) + ["end"]
    for n in range(IN_CLEAR):
        assert b'"payload":' + PAYLOADS[n] + b"}" in lines[1 + 2 * n]


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(PAYLOADS), st.from_regex(rb"[ \n]?[{\[\"0-9a-z]{1,9}")))
)
def test_any_payloads_survive_the_round_trip(payloads: list[bytes]) -> None:
    journal = filled(payloads)
    text = exported(journal)
    again = imported(text)
    assert list(again.read_all()) == list(journal.read_all())
    assert again.heads() == journal.heads()
    assert list(again.read_keys("main")) == list(journal.read_keys("main"))
    assert exported(again) == text


def test_import_needs_an_empty_journal() -> None:
    text = exported(filled(PAYLOADS))
    with pytest.raises(JournalError, match="choose a new file"):
        import_journal(io.BytesIO(text), imported(text))


Spoil = Callable[[list[bytes]], list[bytes]]
TEXT = exported(filled([b'{"n":%d}' % n for n in range(3)])).splitlines(keepends=True)
# line 1 header; 2 to 7 events, main and other in turn; 8 to 10 keys; 11 end


def without(n: int) -> Spoil:
    return lambda lines: lines[: n - 1] + lines[n:]


def edited(n: int, old: bytes, new: bytes) -> Spoil:
    def edit(lines: list[bytes]) -> list[bytes]:
        assert old in lines[n - 1]
        return [*lines[: n - 1], lines[n - 1].replace(old, new), *lines[n:]]

    return edit


def doubled(n: int) -> Spoil:
    return lambda lines: lines[:n] + lines[n - 1 :]


SPOILED: list[tuple[str, Spoil, type[JournalError | InputError], str]] = [
    ("empty file", lambda lines: [], InputError, "line 0: the file ends here"),
    ("cut after the header", lambda lines: lines[:1], InputError, "line 1: the file ends here, .* cut off"),
    ("cut between events", lambda lines: lines[:5], InputError, "line 5: the file ends here, .* cut off"),
    ("cut before the end line", lambda lines: lines[:10], InputError, "line 10: the file ends here"),
    ("cut within a line", lambda lines: [*lines[:4], lines[4][:40]], InputError, r"line 5: .*\(the file seems to be"),
    ("no header", without(1), InputError, "line 1: it is not the header"),
    ("another program's file", lambda lines: [b'{"a":1}\n'], InputError, "line 1: "),
    ("another format", edited(1, b"surefill-journal", b"something"), InputError, "line 1: it is not the header"),
    ("a later version", edited(1, b'"version":1', b'"version":2'), InputError, "line 1: version 2 is not known"),
    ("a broken hash in the header", edited(1, b'"chain_hash":"', b'"chain_hash":"0'), InputError, "is not a hash"),
    ("a payload edited", edited(4, b'{"n":1}', b'{"n":7}'), JournalCorrupt, "line 4: event 2 of workspace 'main'"),
    ("an epoch edited", edited(4, b'"epoch":1', b'"epoch":0'), JournalCorrupt, "line 4: event 2"),
    ("an event lost", without(4), JournalCorrupt, "line 5: event 3 of workspace 'main' does not continue .* event 1"),
    ("an event doubled", doubled(4), JournalCorrupt, "line 5: event 2"),
    ("the last event lost", without(7), InputError, "line 10: it counts 6 events"),
    ("a key lost", without(9), InputError, "line 10: it counts 6 events and 3 keys, but 6 and 2"),
    ("a key to nowhere", edited(9, b'"seq":2', b'"seq":4'), InputError, "line 9: key 'key-2' points at event 4"),
    ("a key of nobody", edited(9, b'"main"', b'"nobody"'), InputError, "line 9: key .* points at event 2 of 'nobody'"),
    ("a digest that is none", edited(9, b'"digest":"', b'"digest":"x'), InputError, "line 9: digest"),
    ("an event of nobody", edited(4, b'"main"', b'"nobody"'), InputError, "line 4: workspace 'nobody' is not in the"),
    ("an event after keys", lambda lines: [*lines[:9], lines[6], *lines[9:]], InputError, "line 10: it is out of"),
    ("a line after the end", lambda lines: [*lines, lines[8]], InputError, "line 12: there should be nothing"),
    ("an empty line", lambda lines: [*lines[:3], b"\n", *lines[3:]], InputError, "line 4: "),
    ("no text", lambda lines: [*lines[:3], b"\xff\n", *lines[3:]], InputError, "line 4: "),
    (
        "a stream left out, with the counts put right",
        lambda lines: [lines[0], *lines[1:6:2], *lines[7:10], lines[10].replace(b"6", b"3", 1)],
        JournalCorrupt,
        "workspace 'other' should end at event 3 but what was given ends at 0",
    ),
]  # fmt: skip


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
@pytest.mark.parametrize(("spoil", "error", "words"), [row[1:] for row in SPOILED], ids=[row[0] for row in SPOILED])
def test_import_of_a_spoiled_file_says_where_and_leaves_nothing(
    tmp_path: Path, backend: str, spoil: Spoil, error: type[Exception], words: str
) -> None:
    journal = MemoryJournal() if backend == "memory" else SqliteJournal(tmp_path / "journal.db")
    with pytest.raises(error, match=words):
        import_journal(spoil(TEXT), journal)
    assert journal.heads() == {}
    assert list(journal.read_all()) == []
    import_journal(TEXT, journal)
    assert exported(journal) == b"".join(TEXT)


def test_import_of_falling_epochs_is_refused_though_the_hashes_fit() -> None:
    head, lines = genesis("main"), []
    for seq, epoch in ((1, 2), (2, 1)):
        head = link(head, seq, epoch, b"0")
        event = f'"workspace":"main","seq":{seq},"epoch":{epoch},"chain_hash":"{head.hex()}","payload":0'
        lines.append(b'{"kind":"event",' + event.encode() + b"}\n")
    heads = f'"heads":{{"main":{{"seq":2,"epoch":2,"chain_hash":"{head.hex()}"}}}}'
    header = b'{"kind":"header","format":"surefill-journal","version":1,' + heads.encode() + b"}\n"
    with pytest.raises(JournalCorrupt, match="line 3: event 2"):
        import_journal([header, *lines, b'{"kind":"end","events":2,"keys":0}\n'], MemoryJournal())


def test_export_while_the_writer_goes_on_ends_at_the_heads_it_began_with(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    lease = journal.open_stream("main")

    def write(payload: bytes) -> None:
        claim = KeyClaim("paper", payload.decode(), b"", lease.next_seq, "c")
        assert journal.append([Batch(lease, [payload], [claim])]) == [None]

    class Busy(io.BytesIO):
        def write(self, data: object) -> int:
            write(b"late-%d" % lease.next_seq)
            late = journal.open_stream(f"late-{lease.next_seq}")
            assert journal.append([Batch(late, [b"x"])]) == [None]
            return super().write(data)  # type: ignore[arg-type]

    write(b"first")
    out = Busy()
    assert export_journal(journal, out) == (1, 1)
    assert imported(out.getvalue()).heads()["main"].seq == 1


class _Edited(MemoryJournal):
    """A journal whose third row somebody edited, or whose last one somebody removed."""

    lost = False

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """See `Journal.read_all`."""
        rows = list(super().read_all(after_position))
        if self.lost:
            return iter(rows[:-1])
        return iter([*rows[:2], rows[2]._replace(payload=b'{"px":9}'), *rows[3:]])


@pytest.mark.parametrize(("lost", "why"), [(False, "does not verify at event 3"), (True, "ends at event 3")])
def test_export_of_a_damaged_journal_is_refused(lost: bool, why: str) -> None:
    journal, out = _Edited(), io.BytesIO()
    journal.lost = lost
    lease = journal.open_stream("main")
    journal.append([Batch(lease, [b'{"px":%d}' % px for px in range(4)])])
    with pytest.raises(JournalCorrupt, match=why):
        export_journal(journal, out)
    assert b'"kind":"end"' not in out.getvalue()
