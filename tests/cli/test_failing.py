"""How commands end when something is wrong: the exit code, one clear message, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import configured, start, surefill, traded

from surefill.cli import exit_codes
from surefill.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from surefill.errors import InputError, JournalCorrupt, JournalLocked, StrategyError, VenueOutcomeUnknown

FAILURES = [
    # the words, the configuration, the code, what standard error must say
    (["status", "--nonsense"], "", 2, "No such option"),
    (["dance"], "", 2, "No such command"),
    (["status"], "a: [\n", 3, "is not YAML"),
    (["status"], "execution: {slipage_bps: 1}\n", 3, "did you mean execution.slippage_bps?"),
    (["status", "--set", "execution.spread_bps"], "", 3, "must be KEY=VALUE"),
    (["status", "--set", "execution.spread_bps=x"], "", 3, "from flag execution.spread_bps"),
    (["status"], "", 5, "there is no journal at"),
    (["halt", "why"], "", 5, "there is no journal at"),
    (["journal", "verify"], "", 5, "there is no journal at"),
    (["trade", "--mode", "live"], "", 3, "need a real workspace.venue"),
    (["trade"], "", 3, "no strategy is configured"),
    (["trade"], "strategies: [{entry: {type: magic}, risk: {dollars_per_trade: 1}}]\n", 4, "'magic' is not known"),
    (
        ["trade"],
        "strategies: [{entry: {type: ema_cross}, symbols: [TSLA], risk: {dollars_per_trade: 1}}]\n",
        3,
        "which the feed does not have",
    ),
    (["journal", "import", "none.jsonl"], "", 4, "does not exist"),
    (["backtest", "none.py:Mine"], "", 4, "none.py does not exist"),
    (["backtest", "--fill-at", "noon"], "", 2, "must be next_open or close"),
    (["backtest", "-p", "fast=3"], "", 2, "belong to a STRATEGY"),
    (["backtest", "ema_cross", "-p", "fast"], "", 2, "must be NAME=VALUE"),
    (["halt", "why", "-i", "A", "--strategy", "b"], "", 2, "name one thing"),
    (["halt", "why", "-i", "A", "--scope", "venue"], "", 2, "name one thing"),
    (["resume", "-i", "A", "--strategy", "b"], "", 2, "name one thing"),
]


@pytest.mark.parametrize(("words", "text", "code", "told"), FAILURES)
def test_failure_has_its_exit_code_and_says_what_to_do(
    tmp_path: Path, words: list[str], text: str, code: int, told: str
) -> None:
    ran = surefill(*words, "-c", configured(tmp_path, text))
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_failure_with_json_is_one_document_on_standard_error(tmp_path: Path) -> None:
    ran = surefill("status", "-c", tmp_path / "none.yaml", "--json")
    error = json.loads(ran.err)["error"]
    assert (ran.out, error["code"], error["exit_code"]) == ("", "INVALID_CONFIG", 3)
    assert "does not exist" in error["message"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status", "--nonsense"], "No such option"),
        (["dance"], "No such command"),
        (["halt"], "Missing argument"),
        (["trade", "--speed", "x"], "valid number"),
        (["backtest", "--fill-at", "noon"], "must be next_open or close"),
    ],
)
def test_wrong_command_line_with_json_is_one_document_on_standard_error(words: list[str], told: str) -> None:
    ran = surefill(*words, "--json")
    error = json.loads(ran.err)["error"]
    assert (ran.code, ran.out, error["code"], error["exit_code"]) == (2, "", "USAGE", 2)
    assert told in error["message"]


@pytest.mark.parametrize("words", [["show-config"], ["show-config", "--json"], ["journal", "tail", "-n", "99"]])
def test_reader_that_leaves_early_is_no_failure(words: list[str], tmp_path: Path) -> None:
    traded(tmp_path)
    with start(tmp_path, *words) as ran:
        assert ran.stdout is not None
        ran.stdout.close()
        assert ran.stderr is not None
        assert (ran.stderr.read(), ran.wait(timeout=30)) == ("", 0)


def test_log_that_nobody_reads_is_a_failure(tmp_path: Path) -> None:
    configured(tmp_path)
    with start(tmp_path, "trade") as ran:
        assert ran.stderr is not None
        ran.stderr.close()
        assert ran.wait(timeout=30) != 0


def test_bad_environment_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUREFILL__EXECUTION__SPREAD_BPS", "wide")
    ran = surefill("show-config", "-c", configured(tmp_path))
    assert (ran.code, "environment SUREFILL__EXECUTION__SPREAD_BPS" in ran.err) == (3, True)


def test_configuration_of_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUREFILL_CONFIG", str(configured(tmp_path, "workspace: {id: here}\n")))
    listed = surefill("show-config", "--json").json()["settings"]
    assert {each["key"]: each["value"] for each in listed}["workspace.id"] == "here"


def test_workspace_that_the_journal_does_not_have_is_refused(tmp_path: Path) -> None:
    file = traded(tmp_path)
    for words in (["status"], ["orders"], ["halt", "x"], ["reconcile"], ["replay"], ["export", tmp_path / "out"]):
        ran = surefill(*words, "-w", "other", "-c", file)
        assert (ran.code, "'other' is not in" in ran.err) == (4, True), words
    assert surefill("status", "-c", file, "--json").json()["events"] > 0


def test_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("not a journal, though it is long enough to look at" * 100)
    for words in (["status"], ["halt", "x"], ["journal", "tail"]):
        assert surefill(*words, "--journal", tmp_path / "x").code == 5, words


def test_defect_of_ours_is_told_as_one_and_shown_with_debug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("surefill.config.listing.listing", broken)
    ran = surefill("show-config", "-c", configured(tmp_path))
    assert (ran.code, "this is a defect" in ran.err, "Traceback" in ran.err) == (1, True, False)
    ran = surefill("--debug", "show-config", "-c", configured(tmp_path))
    assert (ran.code, "Traceback" in ran.err) == (1, True)


ERRORS = [
    (InputError("x"), ExitCode.INPUT),
    (StrategyError("x"), ExitCode.INPUT),
    (JournalLocked("x"), ExitCode.JOURNAL),
    (JournalCorrupt("x"), ExitCode.VERIFICATION),
    (VenueOutcomeUnknown("x"), ExitCode.REMOTE),
    (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    (ValueError("x"), ExitCode.INTERNAL),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_error_ends_with_its_code(error: BaseException, code: ExitCode) -> None:
    assert exit_code_of(error) == code


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(exit_codes.ExitCode)


@pytest.mark.parametrize("what", ["artefacts", "symbols"])
def test_trade_that_is_refused_begins_no_workspace(what: str, tmp_path: Path) -> None:
    file = traded(tmp_path)
    if what == "artefacts":
        assert surefill("trade", "-c", file).code == 0  # the folder is main's from here on
        told = "holds the files of workspace 'main', not of 'other'"
    else:
        one = "  - entry: {type: ema_cross}\n    symbols: [A]\n    risk: {dollars_per_trade: 5000}\n"
        file.write_text(file.read_text() + one)
        told = "A is traded by sma_cross and by ema_cross"
    ran = surefill("trade", "-c", file, "-w", "other")
    assert (ran.code, told in ran.err, "Trading in workspace" in ran.err) == (3, True, False)
    assert surefill("status", "-c", file, "-w", "other").code == 4  # it is not in the journal


@pytest.mark.parametrize("words", [["status"], ["journal", "verify"], ["halt", "why"], ["trade", "--no-artefacts"]])
def test_folder_as_a_journal_is_refused_as_one(words: list[str], tmp_path: Path) -> None:
    ran = surefill(*words, "-c", configured(tmp_path), "-j", tmp_path)
    assert (ran.code, "is a folder: name the journal's file in it" in ran.err) == (5, True), ran.err
