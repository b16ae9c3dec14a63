"""What every journal must do, as a suite that each backend subclasses.

::

    class TestMyJournal(JournalConformance):
        def make(self, place: Path) -> Journal:
            return MyJournal(place / "journal")

`make` is given an empty directory. A backend that cannot be reopened on its content is not a journal.
"""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from surefill.errors import JournalClosed, JournalCorrupt, JournalError, KeyTaken, StaleWriter
from surefill.journal import (
    Batch,
    Head,
    Journal,
    MemoryJournal,
    Record,
    Snapshot,
    anchor,
    export_journal,
    genesis,
    import_journal,
    verified,
    verify,
)
from surefill.journal.chain import link
from surefill.testing.journal_driving import (
    AWKWARD_NAMES,
    AWKWARD_PAYLOADS,
    add,
    claim,
    contents,
    filled_at_random,
    raises,
)


class JournalConformance:
    """Subclass it, define `make`, and let pytest collect the subclass."""

    def make(self, place: Path) -> Journal:
        """A new, empty journal in an empty directory."""
        raise NotImplementedError

    # Streams and leases

    def test_open_stream_of_a_new_workspace_begins_at_the_genesis(self, tmp_path: Path) -> None:
        lease = self.make(tmp_path).open_stream("main")
        assert (lease.workspace_id, lease.epoch, lease.next_seq) == ("main", 1, 1)
        assert lease.head_hash == genesis("main")

    def test_open_stream_again_raises_the_epoch_and_keeps_the_place(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        first = journal.open_stream("main")
        add(journal, first, b"1", b"2")
        second = journal.open_stream("main")
        assert (second.epoch, second.next_seq, second.head_hash) == (2, 3, first.head_hash)

    def test_open_stream_after_reopen_raises_the_epoch_even_without_events(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        assert journal.open_stream("main").epoch == 1
        journal.reopen()
        assert journal.open_stream("main").epoch == 2

    def test_open_stream_of_awkward_names_keeps_them_apart(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        for name in AWKWARD_NAMES:
            add(journal, journal.open_stream(name), name.encode(), keys=(claim(1, name),))
        for name in AWKWARD_NAMES:
            assert [record.payload for record in journal.read(name)] == [name.encode()]
            assert journal.find_key(name, "paper", name) == claim(1, name)

    # Appending

    def test_append_moves_the_lease_and_chains_the_events(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"one", b"two")
        first = link(genesis("main"), 1, 1, b"one")
        second = link(first, 2, 1, b"two")
        assert list(journal.read("main")) == [
            Record(1, "main", 1, 1, b"one", first),
            Record(2, "main", 2, 1, b"two", second),
        ]
        assert (lease.next_seq, lease.head_hash) == (3, second)
        assert journal.heads() == {"main": Head(2, 1, second)}

    def test_append_to_many_streams_keeps_each_in_order(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        assert journal.append([Batch(a, [b"a1"]), Batch(b, [b"b1", b"b2"]), Batch(a, [b"a2"])]) == [None] * 3
        assert [(r.position, r.workspace_id, r.seq, r.payload) for r in journal.read_all()] == [
            (1, "a", 1, b"a1"),
            (2, "b", 1, b"b1"),
            (3, "b", 2, b"b2"),
            (4, "a", 2, b"a2"),
        ]

    def test_append_of_nothing_changes_nothing(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        assert journal.append([]) == []
        assert journal.append([Batch(lease, [])]) == [None]
        assert (lease.next_seq, list(journal.read_all())) == (1, [])

    def test_append_of_awkward_payloads_gives_them_back(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        add(journal, journal.open_stream("main"), *AWKWARD_PAYLOADS)
        journal.reopen()
        assert [record.payload for record in journal.read("main")] == AWKWARD_PAYLOADS

    def test_append_of_text_is_refused_and_leaves_nothing(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        with raises(TypeError):
            journal.append([Batch(a, [b"fine"]), Batch(b, ["text"])])  # type: ignore[list-item]
        assert list(journal.read_all()) == []
        add(journal, a, b"fine")
        assert a.next_seq == 2

    # Refusals

    def test_append_by_a_superseded_writer_is_refused_alone(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        old, other = journal.open_stream("main"), journal.open_stream("other")
        add(journal, old, b"1")
        new = journal.open_stream("main")
        stale, fine = journal.append([Batch(old, [b"stale"]), Batch(other, [b"fine"])])
        assert isinstance(stale, StaleWriter)
        assert fine is None
        assert (old.next_seq, other.next_seq) == (2, 2)
        add(journal, new, b"2")
        assert [record.payload for record in journal.read("main")] == [b"1", b"2"]

    def test_append_by_a_superseded_writer_after_the_new_one_wrote_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        old = journal.open_stream("main")
        add(journal, journal.open_stream("main"), b"new")
        (stale,) = journal.append([Batch(old, [b"stale"])])
        assert isinstance(stale, StaleWriter)
        assert [record.payload for record in journal.read("main")] == [b"new"]

    def test_append_of_nothing_by_a_superseded_writer_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        old = journal.open_stream("main")
        journal.open_stream("main")
        (stale,) = journal.append([Batch(old, [])])
        assert isinstance(stale, StaleWriter)

    def test_append_with_a_taken_key_is_refused_alone(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        add(journal, a, b"1", keys=(claim(1, "k"),))
        taken, fine = journal.append([Batch(a, [b"2", b"3"], [claim(2, "k2"), claim(3, "k")]), Batch(b, [b"1"])])
        assert isinstance(taken, KeyTaken)
        assert (taken.values["key"], taken.values["mode"], taken.values["seq"]) == ("k", "paper", 1)
        assert fine is None
        assert journal.find_key("a", "paper", "k2") is None
        add(journal, a, b"2", keys=(claim(2, "k2"),))
        assert [record.payload for record in journal.read("a")] == [b"1", b"2"]

    def test_append_with_a_key_taken_within_it_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        twice = [claim(1, "k"), claim(1, "k")]
        assert isinstance(journal.append([Batch(a, [b"1"], twice)])[0], KeyTaken)
        results = journal.append(
            [Batch(a, [b"1"], [claim(1, "k")]), Batch(a, [b"2"], [claim(2, "k")]), Batch(b, [b"1"], [claim(1, "k")])]
        )
        assert [type(result) for result in results] == [type(None), KeyTaken, type(None)]
        assert (a.next_seq, b.next_seq) == (2, 2)

    def test_append_after_a_refused_batch_of_the_same_lease_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a = journal.open_stream("a")
        add(journal, a, b"1", keys=(claim(1, "k"),))
        results = journal.append([Batch(a, [b"2"]), Batch(a, [b"3"], [claim(3, "k")]), Batch(a, [b"4"])])
        assert [type(result) for result in results] == [type(None), KeyTaken, StaleWriter]
        assert [record.payload for record in journal.read("a")] == [b"1", b"2"]
        add(journal, a, b"3")

    def test_append_with_a_key_of_another_batch_s_event_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        for seq in (0, 3):
            (error,) = journal.append([Batch(lease, [b"1", b"2"], [claim(seq, "k")])])
            assert error is not None
            assert error.code == "KEY_OUTSIDE_BATCH"
        assert list(journal.read_all()) == []

    def test_append_with_a_lease_of_another_journal_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        journal, other = self.make(tmp_path / "a"), self.make(tmp_path / "b")
        journal.open_stream("main")
        (error,) = journal.append([Batch(other.open_stream("main"), [b"1"])])
        assert isinstance(error, StaleWriter)

    # Keys

    def test_find_key_tells_workspaces_and_modes_apart(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        add(journal, a, b"1", b"2", keys=(claim(1, "k", "paper"), claim(2, "k", "live")))
        add(journal, b, b"1", keys=(claim(1, "k", "paper", b"other"),))
        assert journal.find_key("a", "paper", "k") == claim(1, "k", "paper")
        assert journal.find_key("a", "live", "k") == claim(2, "k", "live")
        assert journal.find_key("b", "paper", "k") == claim(1, "k", "paper", b"other")
        for absent in (("b", "live", "k"), ("a", "paper", "K"), ("c", "paper", "k")):
            assert journal.find_key(*absent) is None

    def test_find_keys_of_many_is_find_key_of_each(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        names = [f"k{n}" for n in range(1_000)]
        taken = [claim(seq, name, "live" if seq % 5 == 0 else "paper") for seq, name in enumerate(names[::3], 1)]
        add(journal, a, *[b"x"] * len(taken), keys=tuple(taken))
        add(journal, b, *[b"x"] * 1_000, keys=tuple(claim(seq, name, "paper") for seq, name in enumerate(names, 1)))
        for count in (0, 1, 2, 63, 64, 65, 1_000):
            asked = names[-count:] if count else []
            each = {name: found for name in asked if (found := journal.find_key("a", "paper", name)) is not None}
            assert journal.find_keys("a", "paper", asked) == each
            assert journal.find_keys("a", "paper", asked + asked[::-1]) == each
            assert journal.find_keys("c", "paper", asked) == {}
        assert len(journal.find_keys("a", "paper", names)) == sum(each.mode == "paper" for each in taken)

    def test_find_keys_of_awkward_names_tells_them_apart(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        claims = [claim(seq, name) for seq, name in enumerate(AWKWARD_NAMES, 1)]
        add(journal, lease, *[b"x"] * len(claims), keys=tuple(claims))
        assert journal.find_keys("main", "paper", AWKWARD_NAMES) == {each.key: each for each in claims}

    def test_read_keys_of_thousands_gives_all_in_order(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        claims = [claim(seq, f"k{seq * 7919 % 3001}", "live" if seq % 3 else "paper") for seq in range(1, 3001)]
        add(journal, lease, *[b"x"] * 3000, keys=tuple(claims))
        assert list(journal.read_keys("main")) == sorted(claims)
        assert list(journal.read_keys("nobody")) == []

    # Reading

    def test_read_of_a_range_gives_it(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        a, b = journal.open_stream("a"), journal.open_stream("b")
        for n in range(1, 1_301):
            add(journal, a, b"%d" % n, b"%d" % -n)
            if n % 400 == 0:
                add(journal, b, b"%d" % n)
        for from_seq, to_seq, expected in [
            (1, None, range(1, 2601)),
            (0, None, range(1, 2601)),
            (2600, None, range(2600, 2601)),
            (2601, None, range(0)),
            (1, 0, range(0)),
            (5, 4, range(0)),
            (1024, 1025, range(1024, 1026)),
            (3, 2051, range(3, 2052)),
            (2500, 9999, range(2500, 2601)),
        ]:
            assert [record.seq for record in journal.read("a", from_seq, to_seq)] == list(expected)
        assert list(journal.read("nobody")) == []

    def test_read_all_after_a_position_gives_the_rest(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        leases = [journal.open_stream(name) for name in "abc"]
        chance = random.Random(7)  # nosec B311: reproducible chance for tests
        for n in range(700):
            add(journal, chance.choice(leases), *[b"%d" % n] * chance.randint(1, 4))
        everything = list(journal.read_all())
        assert [record.position for record in everything] == list(range(1, len(everything) + 1))
        for after in (0, 1, 2, 1023, 1024, 1025, len(everything) - 1, len(everything), 99_999):
            assert list(journal.read_all(after)) == everything[after:]

    def test_read_begun_before_an_append_ends_where_it_began(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"1", b"2")
        one, every = journal.read("main"), journal.read_all()
        assert next(one).seq == next(every).seq == 1
        add(journal, lease, b"3")
        assert [record.seq for record in one] == [record.seq for record in every] == [2]

    def test_read_is_verified_from_any_trusted_point(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"1", b"2", b"3")
        point = Head(2, 1, next(journal.read("main", 2)).chain_hash)
        assert [r.payload for r in verified(journal.read("main"), Head(0, 0, genesis("main")))] == [b"1", b"2", b"3"]
        assert [r.payload for r in verified(journal.read("main", 3), point)] == [b"3"]
        with raises(JournalCorrupt, "event 1"):
            list(verified(journal.read("main", 3), Head(0, 0, genesis("main"))))

    # Snapshots

    def test_load_snapshot_gives_the_latest_of_its_version(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        other = journal.open_stream("other")
        add(journal, other, b"shifts the positions")
        add(journal, lease, b"1", b"2", b"3")
        hashes = [record.chain_hash for record in journal.read("main")]
        assert journal.load_snapshot("main", 1) is None
        for seq, version, state in [(1, 1, b"one"), (3, 1, b"three"), (2, 1, b"two"), (2, 2, b"new")]:
            journal.save_snapshot(Snapshot("main", seq, hashes[seq - 1], version, 0, state))
        journal.reopen()
        assert journal.load_snapshot("main", 1) == Snapshot("main", 3, hashes[2], 1, 4, b"three")
        assert journal.load_snapshot("main", 2) == Snapshot("main", 2, hashes[1], 2, 3, b"new")
        assert journal.load_snapshot("main", 3) is None
        assert journal.load_snapshot("other", 1) is None

    def test_save_snapshot_at_the_same_event_replaces_it(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"1")
        for state in (b"first", b"second"):
            journal.save_snapshot(Snapshot("main", 1, lease.head_hash, 1, 0, state))
        found = journal.load_snapshot("main", 1)
        assert found is not None
        assert found.payload == b"second"

    def test_save_snapshot_that_fits_no_event_is_refused(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"1")
        for name, seq, chain_hash in [
            ("main", 1, b"\1" * 32),
            ("main", 2, lease.head_hash),
            ("main", 0, genesis("main")),
            ("nobody", 1, lease.head_hash),
        ]:
            with raises(JournalError, "snapshot"):
                journal.save_snapshot(Snapshot(name, seq, chain_hash, 1, 0, b"state"))
        assert journal.load_snapshot("main", 1) is None
        add(journal, lease, b"2")

    # Life

    def test_reopen_keeps_everything_and_refuses_old_leases(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, b"1", b"2", keys=(claim(2, "k"),))
        before = contents(journal)
        journal.reopen()
        assert contents(journal) == before
        (error,) = journal.append([Batch(lease, [b"3"])])
        assert isinstance(error, StaleWriter)
        add(journal, journal.open_stream("main"), b"3")

    def test_close_refuses_everything_until_reopen(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        lease = journal.open_stream("main")
        add(journal, lease, *[b"x"] * 3000)
        reading = journal.read("main")
        next(reading)
        journal.close()
        journal.close()
        calls: list[Callable[[], object]] = [
            lambda: journal.open_stream("main"),
            lambda: journal.append([Batch(lease, [b"2"])]),
            lambda: journal.read("main"),
            lambda: journal.read_all(),
            lambda: journal.find_key("main", "paper", "k"),
            lambda: journal.find_keys("main", "paper", ["k"]),
            lambda: journal.read_keys("main"),
            lambda: journal.save_snapshot(Snapshot("main", 1, lease.head_hash, 1, 0, b"")),
            lambda: journal.load_snapshot("main", 1),
            lambda: journal.heads(),
            lambda: journal.self_check(),
            lambda: journal.restore({}, (), ()),
        ]
        for call in calls:
            with raises(JournalClosed, "reopen"):
                call()
        journal.reopen()
        assert journal.heads()["main"].seq == 3000

    def test_free_bytes_is_known(self, tmp_path: Path) -> None:
        assert self.make(tmp_path).free_bytes() > 0

    # Restoring, exporting, verifying

    def test_restore_gives_the_same_content(self, tmp_path: Path) -> None:
        model = filled_at_random(MemoryJournal(), seed=1)
        journal = self.make(tmp_path)
        pairs = [(name, key) for name in model.heads() for key in model.read_keys(name)]
        journal.restore(model.heads(), model.read_all(), pairs)
        assert contents(journal) == contents(model)
        assert journal.open_stream("w0").epoch == model.heads()["w0"].epoch + 1

    def test_restore_of_what_does_not_fit_leaves_nothing(self, tmp_path: Path) -> None:
        model = filled_at_random(MemoryJournal(), seed=2)
        heads, records = model.heads(), list(model.read_all())

        def failing() -> Iterator[Record]:
            yield from records[:3]
            raise RuntimeError("planned")

        journal = self.make(tmp_path)
        with raises(JournalCorrupt):
            journal.restore(heads, records[:-1], ())
        with raises(RuntimeError, "planned"):
            journal.restore(heads, failing(), ())
        assert contents(journal) == ({}, [], {})
        journal.restore(heads, records, ())
        with raises(JournalError, "empty"):
            journal.restore(heads, records, ())

    def test_export_and_import_give_the_same_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        first = filled_at_random(self.make(tmp_path / "a"), seed=3)
        add(first, first.open_stream("awkward"), *AWKWARD_PAYLOADS)
        text, again = io.BytesIO(), io.BytesIO()
        counts = export_journal(first, text)
        second = self.make(tmp_path / "b")
        assert import_journal(io.BytesIO(text.getvalue()), second) == counts
        assert contents(second) == contents(first)
        assert export_journal(second, again) == counts
        assert again.getvalue() == text.getvalue()

    def test_verify_of_a_sound_journal_finds_nothing(self, tmp_path: Path) -> None:
        journal = filled_at_random(self.make(tmp_path), seed=4)
        early = anchor(journal)
        lease = journal.open_stream("w0")
        add(journal, lease, b"after the anchor", b"and another")
        found = verify(journal, [early])
        assert found.ok, found.text()
        assert found.events == len(list(journal.read_all()))
        assert next(s for s in found.streams if s.workspace_id == "w0").unanchored == 2

    # Many at once

    def test_appends_from_threads_with_readers_lose_nothing(self, tmp_path: Path) -> None:
        journal = self.make(tmp_path)
        names = ["a", "b", "c"]
        done = threading.Event()
        trouble: list[BaseException] = []

        def watched(work: Callable[[], None]) -> threading.Thread:
            def run() -> None:
                try:
                    work()
                except BaseException as error:
                    trouble.append(error)

            return threading.Thread(target=run)

        def write(name: str) -> None:
            lease = journal.open_stream(name)
            for n in range(150):
                add(journal, lease, b"%d" % n, b"again", keys=(claim(lease.next_seq, f"{n}"),))
                assert journal.find_key(name, "paper", f"{n}") is not None

        def read() -> None:
            while not done.wait(0.001):
                seen = list(journal.read_all())
                assert [record.position for record in seen] == list(range(1, len(seen) + 1))
                for name in names:
                    list(verified(journal.read(name), Head(0, 0, genesis(name))))

        writers = [watched(lambda name=name: write(name)) for name in names]  # type: ignore[misc]
        readers = [watched(read), watched(read)]
        for thread in [*readers, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in readers:
            thread.join()
        assert not trouble
        assert {name: head.seq for name, head in journal.heads().items()} == dict.fromkeys(names, 300)
        assert verify(journal).ok

    def test_random_calls_agree_with_the_journal_in_memory(self, tmp_path: Path) -> None:
        for seed in range(5):
            place = tmp_path / str(seed)
            place.mkdir()
            mine = filled_at_random(self.make(place), seed)
            assert contents(mine) == contents(filled_at_random(MemoryJournal(), seed))
