"""status, orders, positions, halt, resume, reconcile, replay, export: on a journal at rest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from pathlib import Path

import pytest
from tests.cli.running import SYNTHETIC, configured, cut_off, on_a_full_disk, surefill, tampered, traded

from surefill.config import build_of_this


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A traded workspace that tests here only look at."""
    return traded(tmp_path_factory.mktemp("rest"))


def test_status_at_rest_is_the_journals(at_rest: Path) -> None:
    told = surefill("status", "-c", at_rest, "--json").json()
    assert (told["workspace"], told["engine"], told["halted"]) == ("main", None, "")
    assert told["state_hash"] == surefill("replay", "-c", at_rest, "--json").json()["state_hash"]
    out = surefill("status", "-c", at_rest).out
    assert "none runs" in out
    assert told["build"] == build_of_this()
    assert told["build"] in out


def test_orders_of_the_state_and_of_the_whole_journal(at_rest: Path) -> None:
    recent = surefill("orders", "-c", at_rest, "--json").json()
    whole = surefill("orders", "-c", at_rest, "--all", "--json").json()
    assert len(whole) >= len(recent) > 2
    assert {order["status"] for order in whole} == {"FILLED"}
    assert surefill("orders", "-c", at_rest, "--live", "--json").json() == []
    assert recent[0]["order_ref"] in surefill("orders", "-c", at_rest).out


def test_positions_without_an_engine_have_no_marks(at_rest: Path) -> None:
    held = surefill("positions", "-c", at_rest, "--all", "--json").json()
    assert {line["symbol"] for line in held} == {"A", "B"}
    assert {line["mark"] for line in held} == {""}


def test_replay_proves_that_the_journal_gives_the_state(at_rest: Path) -> None:
    ran = surefill("replay", "-c", at_rest, "--json")
    told = ran.json()
    assert (ran.code, told["proved"], told["snapshot_seq"]) == (0, True, told["events"])
    assert "the same: the journal alone gives this state" in surefill("replay", "-c", at_rest).out


def test_replay_at_an_event_shows_the_books_of_then(at_rest: Path) -> None:
    told = surefill("replay", "-c", at_rest, "--at", "1", "--json").json()
    assert (told["events"], told["status"]["events"], told["positions"], told["proved"]) == (1, 1, [], None)
    assert told["status"]["cash"] == "10000"
    assert surefill("replay", "-c", at_rest, "--at", "99999").code == 4


def test_export_makes_the_same_files_as_trading_does(at_rest: Path, tmp_path: Path) -> None:
    told = surefill("export", tmp_path / "out", "-c", at_rest, "--json").json()
    names = {each["file"] for each in told["files"]}
    assert {"orders.csv", "checkpoints/paper_state_latest.json", "analytics/runtime_metrics.json"} <= names
    again = traded_files(tmp_path, at_rest)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names} == again


def traded_files(folder: Path, config: Path) -> dict[str, bytes]:
    """The files that a run of the same market keeps itself."""
    (folder / "again").mkdir()
    file = folder / "again" / "surefill.yaml"
    file.write_text(config.read_text())
    assert surefill("trade", "-c", file).code == 0
    root = folder / "again" / "artifacts"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".surefill" not in path.parts
    }


def test_halt_without_an_engine_is_written_into_the_journal(tmp_path: Path) -> None:
    file = traded(tmp_path)
    ran = surefill("halt", "lunch", "--by", "ann", "-c", file)
    told = "main is halted (OPERATOR: lunch)\n  workspace: SUSPEND (OPERATOR: lunch)"
    assert (ran.code, ran.out.strip()) == (0, told)
    assert "No engine was running" in ran.err
    assert surefill("status", "-c", file, "--check").code == 6
    assert surefill("resume", "--by", "ann", "-c", file).out.strip() == "main takes entries"
    assert surefill("status", "-c", file, "--check").code == 0
    assert surefill("replay", "-c", file).code == 0


def test_halt_of_an_instrument_and_a_strategy_is_told(tmp_path: Path) -> None:
    file = traded(tmp_path)
    surefill("halt", "split", "-i", "A", "-c", file)
    told = surefill("halt", "review", "--strategy", "sma_cross", "-c", file, "--json").json()
    assert (told["halted"], list(told["halted_instruments"]), list(told["paused_strategies"])) == (
        "",
        ["A"],
        ["sma_cross"],
    )


@pytest.mark.parametrize(
    ("words", "known", "list_"),
    [
        (("-i", "A"), True, ""),
        (("-i", "NOSUCH"), False, "NOSUCH is not known here; known: A, B"),
        (("--strategy", "sma_cross"), True, ""),
        (("--strategy", "nosuch"), False, "nosuch is not known here; known: sma_cross"),
    ],
)
def test_halt_of_what_is_not_known_is_taken_with_a_warning(
    words: tuple[str, str], known: bool, list_: str, tmp_path: Path
) -> None:
    file = traded(tmp_path)
    ran = surefill("halt", "why", *words, "-c", file, "--json")
    told = ran.json()
    assert (ran.code, told["known"]) == (0, known)
    assert words[1] in {**told["halted_instruments"], **told["paused_strategies"]}
    assert (list_ in ran.err, "is not known here" in ran.err) == (True, not known)


@pytest.mark.parametrize("scope", [(), ("-i", "A"), ("--strategy", "sma_cross"), ("--scope", "venue")])
def test_halt_of_what_is_halted_already_says_so_and_keeps_the_first_reason(
    scope: tuple[str, ...], tmp_path: Path
) -> None:
    file = traded(tmp_path)
    first = surefill("halt", "one", *scope, "-c", file, "--json")
    assert (first.json()["already"], "thrown already" in first.err) == (False, False)
    again = surefill("halt", "two", *scope, "-c", file, "--json")
    assert again.json()["already"] is True
    assert "It had been thrown already, and stays as it was" in again.err
    assert "SUSPEND (OPERATOR: one)" in again.err
    surefill("resume", *scope, "-c", file)
    assert surefill("halt", "two", *scope, "-c", file, "--json").json()["already"] is False


def test_halt_within_a_halted_workspace_names_both(tmp_path: Path) -> None:
    file = traded(tmp_path)
    surefill("halt", "bad feed", "-c", file)
    assert surefill("halt", "x", "-i", "A", "-c", file).out.splitlines() == [
        "main is halted (OPERATOR: bad feed)",
        "  workspace: SUSPEND (OPERATOR: bad feed)",
        "  symbol:A: SUSPEND (OPERATOR: x)",
    ]


def test_halt_without_a_reason_is_refused(at_rest: Path) -> None:
    assert surefill("halt", " ", "-c", at_rest).code == 4
    assert surefill("halt", "-c", at_rest).code == 2


def _bought(config: Path) -> int:
    orders = surefill("orders", "-c", config, "--all", "--json").json()
    return sum(order["side"] == "BUY" and order["status"] == "FILLED" for order in orders)


def test_halted_workspace_opens_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    file = traded(tmp_path)
    before = _bought(file)
    surefill("halt", "lunch", "-c", file)
    ran = surefill("trade", "-c", file, "--json", "--no-artefacts", "-s", "feed.bars=120")
    assert (ran.json()["status"]["halted"], ran.json()["bars"], _bought(file)) == ("OPERATOR", 240, before)
    surefill("resume", "-c", file)
    surefill("trade", "-c", file, "--json", "--no-artefacts", "-s", "feed.bars=180")
    assert _bought(file) > before


def test_reconcile_at_rest_finds_the_books_in_agreement(tmp_path: Path) -> None:
    ran = surefill("reconcile", "-c", traded(tmp_path))
    assert (ran.code, ran.out.strip()) == (0, "The books agree.")


def test_stop_without_an_engine_says_so(at_rest: Path) -> None:
    ran = surefill("stop", "-c", at_rest)
    assert (ran.code, "nothing to stop" in ran.err) == (8, True)


def test_replay_of_a_forged_snapshot_is_told_and_exits_with_7(tmp_path: Path) -> None:
    file = traded(tmp_path)
    with sqlite3.connect(tmp_path / "surefill.journal") as journal:
        (payload,) = journal.execute("SELECT payload FROM snapshots").fetchone()
        forged = re.sub(rb'"cash":\d+', b'"cash":999999999999999', payload)
        journal.execute("UPDATE snapshots SET payload = ?, digest = ?", (forged, hashlib.sha256(forged).digest()))
    journal.close()
    ran = surefill("replay", "-c", file)
    assert (ran.code, "NOT THE SAME" in ran.out) == (7, True)


@pytest.mark.parametrize("words", [("orders", "--all"), ("export", "made")])
def test_reading_a_tampered_journal_exits_with_7(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = traded(tmp_path)
    tampered(tmp_path, 5)
    monkeypatch.chdir(tmp_path)
    ran = surefill(*words, "-c", file)
    assert (ran.code, ran.out, "does not verify at event 5" in ran.err) == (7, "", True)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("words", [("replay",), ("status",), ("orders", "--all"), ("doctor",), ("journal", "verify")])
def test_looking_at_a_journal_whose_end_was_cut_off_exits_with_7(words: tuple[str, ...], tmp_path: Path) -> None:
    file = traded(tmp_path)
    last = surefill("status", "-c", file, "--json").json()["events"]
    cut_off(tmp_path)
    ran = surefill(*words, "-c", file)
    assert (ran.code, f"{last}" in ran.out + ran.err) == (7, True), ran
    assert "the last events were lost" in ran.out + ran.err or words == ("journal", "verify")
    assert surefill("replay", "--at", f"{last - 1}", "-c", file).code == 0


def test_switch_of_the_engine_is_thrown_at_its_level_and_loosened_step_by_step(tmp_path: Path) -> None:
    at_rest = traded(tmp_path)
    thrown = surefill("halt", "trouble", "--scope", "engine", "--level", "shutdown", "-c", at_rest, "--json").json()
    assert (thrown["halted"], thrown["switches"]) == ("OPERATOR", {"engine": "SHUTDOWN (OPERATOR: trouble)"})
    assert surefill("status", "--check", "-c", at_rest).code == 6
    slower = surefill("resume", "--scope", "engine", "--level", "throttle", "-c", at_rest, "--json").json()
    assert (slower["halted"], slower["switches"]) == ("", {"engine": "THROTTLE (OPERATOR: trouble)"})
    assert surefill("resume", "--scope", "engine", "-c", at_rest, "--json").json()["switches"] == {}
    assert surefill("journal", "verify", "-c", at_rest).code == 0


def test_switch_of_a_venue_and_of_a_symbol_at_once_is_refused(at_rest: Path) -> None:
    assert surefill("halt", "x", "--scope", "venue", "-i", "AAPL", "-c", at_rest).code == 2
    assert surefill("halt", "x", "--level", "gently", "-c", at_rest).code == 2


def test_breaker_that_has_tripped_is_shown_and_rearmed_by_a_name(tmp_path: Path) -> None:
    file = traded(tmp_path, "risk: {enable: [drawdown], drawdown_max_pct: 0}\n")
    status = surefill("status", "-c", file, "--json").json()
    assert list(status["tripped"]) == ["drawdown"]
    assert surefill("resume", "--breaker", "drawdown", "-c", file, "--json").json()["tripped"] == {}
    ran = surefill("resume", "--breaker", "drawdown", "-c", file)
    assert (ran.code, "has not tripped" in ran.err) == (4, True)


def _stopped_by_a_full_disk(folder: Path) -> Path:
    """A configuration whose trading ended when its journal could not grow any more."""
    file = configured(folder, SYNTHETIC.replace("bars: 60", "bars: 4000"))
    ran = on_a_full_disk(folder, "trade", "--no-artefacts", bytes_max=1_000_000)
    assert ran.code == 5, ran.err
    assert "APPEND_FAILED" in ran.err
    assert "never retrieved" not in ran.err
    return file


def test_halt_that_the_full_disk_did_not_take_holds_for_the_next_run(tmp_path: Path) -> None:
    file = _stopped_by_a_full_disk(tmp_path)
    found = surefill("status", "--check", "-c", file, "--json")
    assert (found.code, found.json()["halted"]) == (6, "APPEND_FAILED")
    assert "journals it first" in found.json()["halted_reason"]
    before = _bought(file)
    again = surefill("trade", "-c", file, "--json", "--no-artefacts").json()
    assert (again["status"]["halted"], again["finished"], _bought(file)) == ("APPEND_FAILED", True, before)
    assert surefill("resume", "-c", file).out.strip() == "main takes entries"
    assert surefill("status", "--check", "-c", file).code == 0
    assert surefill("replay", "-c", file).code == 0


@pytest.mark.parametrize("words", [("resume",), ("halt", "why")])
def test_decision_after_a_halt_that_was_only_noted_comes_after_it_in_the_journal(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    file = _stopped_by_a_full_disk(tmp_path)
    assert surefill(*words, "-c", file).code == 0
    events = [
        json.loads(line)["event"]
        for line in surefill("journal", "tail", "-n", "3", "-c", file, "--json").out.splitlines()
    ]
    decided = [(event["type"], event.get("code")) for event in events if event["type"] in ("Halted", "Resumed")]
    assert decided[0] == ("Halted", "APPEND_FAILED")
    assert surefill("status", "--check", "-c", file).code == (0 if words == ("resume",) else 6)


def test_status_check_of_a_disk_below_its_floor_exits_with_6(at_rest: Path) -> None:
    ran = surefill("status", "--check", "-c", at_rest, "-s", "journal.disk_floor_mb=999999999", "--json")
    assert (ran.code, "the floor is" in ran.json()["disk"]) == (6, True)
    assert surefill("status", "--check", "-c", at_rest, "--json").json()["disk"] == ""


def test_status_check_of_a_journal_that_cannot_be_written_exits_with_6(
    at_rest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write whatever the mode says
    ran = surefill("status", "--check", "-c", at_rest, "--json")
    assert (ran.code, "cannot be written by this user" in ran.json()["disk"]) == (6, True)
