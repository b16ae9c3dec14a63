"""The group journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import surefill, tampered, traded


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A traded workspace that tests here only look at."""
    return traded(tmp_path_factory.mktemp("rest"))


def test_verify_of_a_sound_journal_says_what_is_proved_and_what_is_not(at_rest: Path) -> None:
    ran = surefill("journal", "verify", "-c", at_rest)
    assert ran.code == 0
    assert "the journal verifies" in ran.out
    assert "not anchored" in ran.out


def test_verify_of_an_edited_journal_exits_with_7_and_names_the_event(tmp_path: Path) -> None:
    file = traded(tmp_path)
    tampered(tmp_path, 1)
    ran = surefill("journal", "verify", "-c", file, "--json")
    assert (ran.code, ran.json()["ok"], ran.json()["streams"][0]["first_bad_seq"]) == (7, False, 1)
    assert surefill("replay", "-c", file).code == 7


def test_anchor_vouches_for_what_it_saw(at_rest: Path, tmp_path: Path) -> None:
    ran = surefill("journal", "anchor", "-c", at_rest, "--out", tmp_path / "anchors")
    assert json.loads(ran.out) == json.loads((tmp_path / "anchors").read_text())
    told = surefill("journal", "verify", "-c", at_rest, "--anchor", tmp_path / "anchors", "--json").json()
    assert told["streams"][0]["anchored_seq"] == told["events"]


def test_anchor_of_another_journal_does_not_verify(at_rest: Path, tmp_path: Path) -> None:
    other = traded(tmp_path)
    assert surefill("halt", "x", "-c", other).code == 0
    surefill("journal", "anchor", "-c", other, "--out", tmp_path / "anchors")
    assert surefill("journal", "verify", "-c", at_rest, "-a", tmp_path / "anchors").code == 7


def test_file_that_is_no_anchor_is_told(at_rest: Path) -> None:
    ran = surefill("journal", "verify", "-c", at_rest, "-a", at_rest)
    assert (ran.code, "not an anchor" in ran.err) == (4, True)


def test_export_and_import_give_the_same_journal(at_rest: Path, tmp_path: Path) -> None:
    out, copy = tmp_path / "all.jsonl", tmp_path / "copy.journal"
    done = surefill("journal", "export", out, "-c", at_rest, "--json").json()
    taken = surefill("journal", "import", out, "--journal", copy, "--json").json()
    assert (taken["events"], taken["keys"]) == (done["events"], done["keys"])
    hashes = [
        surefill("replay", *where, "--json").json()["state_hash"] for where in (("-c", at_rest), ("--journal", copy))
    ]
    assert hashes[0] == hashes[1]


def test_export_to_standard_output_is_the_file(at_rest: Path, tmp_path: Path) -> None:
    surefill("journal", "export", tmp_path / "all.jsonl", "-c", at_rest)
    ran = surefill("journal", "export", "-", "-c", at_rest)
    assert ran.out == (tmp_path / "all.jsonl").read_text()
    assert "events" in ran.err


def test_export_does_not_replace_a_file_unasked(at_rest: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert surefill("journal", "export", tmp_path / "mine", "-c", at_rest).code == 4
    assert (tmp_path / "mine").read_text() == "mine"
    assert surefill("journal", "export", tmp_path / "mine", "-c", at_rest, "--force").code == 0
    assert (tmp_path / "mine").read_text().startswith('{"kind":"header"')


def test_import_of_an_edited_export_leaves_nothing(at_rest: Path, tmp_path: Path) -> None:
    out, copy = tmp_path / "all.jsonl", tmp_path / "copy.journal"
    surefill("journal", "export", out, "-c", at_rest)
    out.write_text(out.read_text().replace('"side":1', '"side":-1', 1))
    ran = surefill("journal", "import", out, "--journal", copy)
    assert (ran.code, "does not continue the chain" in ran.err) == (7, True)
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def test_import_into_a_journal_that_is_there_is_refused(at_rest: Path, tmp_path: Path) -> None:
    surefill("journal", "export", tmp_path / "all.jsonl", "-c", at_rest)
    before = (at_rest.parent / "surefill.journal").read_bytes()
    assert surefill("journal", "import", tmp_path / "all.jsonl", "-c", at_rest).code == 5
    assert (at_rest.parent / "surefill.journal").read_bytes() == before


def test_tail_shows_the_last_events_as_lines(at_rest: Path) -> None:
    lines = surefill("journal", "tail", "-n", "3", "-c", at_rest, "--json").out.splitlines()
    seqs = [json.loads(line)["seq"] for line in lines]
    last = surefill("status", "-c", at_rest, "--json").json()["events"]
    assert seqs == [last - 2, last - 1, last]
    assert len(surefill("journal", "tail", "-n", "2", "-c", at_rest).out.splitlines()) == 2


def test_export_of_a_tampered_journal_keeps_the_last_good_copy(tmp_path: Path) -> None:
    file, out = traded(tmp_path), tmp_path / "all.jsonl"
    surefill("journal", "export", out, "-c", file)
    good = out.read_bytes()
    tampered(tmp_path, 5)
    ran = surefill("journal", "export", out, "--force", "-c", file)
    assert (ran.code, "does not verify at event 5" in ran.err, out.read_bytes() == good) == (7, True, True)
    assert not out.with_name("all.jsonl.part").exists()
