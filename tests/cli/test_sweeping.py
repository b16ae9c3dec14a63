"""The group sweep: plans, runs, results, files; killed, canceled, gone on with."""

from __future__ import annotations

import csv
import json
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tests.cli.running import on_a_full_disk, start, surefill
from tests.sweep.sweeps import MISCHIEF

QUICK = (
    "--data",
    "synthetic",
    "--timeframe",
    "1h",
    "--set",
    "feed.bars=60",
    "--set",
    "instruments.default.calendar=24x7",
)
CROSS = ("sma_cross", "-p", "slow=6", "-p", "fast=2", *QUICK)
GRID = ("-S", "fast=2,3", "-S", "slow=5:9:2")
HERE = ("--workers", "0")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(*words: str | Path) -> Any:
    ran = surefill("sweep", "run", *words, "--json")
    assert ran.code == 0, ran.err
    return ran.json()


def test_run_shows_the_best_first_and_is_kept() -> None:
    ran = surefill("sweep", "run", *CROSS, *GRID, *HERE)
    assert ran.code == 0, ran.err
    told = surefill("sweep", "list", "--json").json()
    assert [(each["variants"], each["outcomes"], each["status"]) for each in told] == [(7, 7, "completed")]
    run_id = told[0]["run_plan_id"]
    assert f"Run {run_id}: 7 variants, by sharpe (completed)" in ran.out
    assert "deflated Sharpe ratio" in ran.out
    assert "per year: 365 periods, riskless rate 0, deviations over n - 1" in ran.out
    assert surefill("sweep", "show", run_id[:6]).out == ran.out
    assert run_id in surefill("sweep", "list").out
    found = surefill("sweep", "show", run_id, "--json").json()
    ranks = [row["rank"] for row in found["rows"]]
    assert sorted(ranks) == list(range(1, 8))
    assert found["best"] == found["rows"][ranks.index(1)]["variant_id"]
    assert {row["path"] for row in found["rows"]} == {"kernel"}


def test_run_again_shows_what_is_known_and_adds_nothing() -> None:
    first = _run(*CROSS, *GRID, *HERE)
    size = Path("sweeps.journal").stat().st_size
    assert _run(*CROSS, *GRID, *HERE) == first
    assert Path("sweeps.journal").stat().st_size == size
    assert _run(*CROSS, *GRID, *HERE, "--fee-bps", "50")["run_plan_id"] != first["run_plan_id"]


def test_progress_is_events_with_json() -> None:
    ran = surefill("sweep", "run", *CROSS, *GRID, *HERE, "--json")
    told = [json.loads(line) for line in ran.err.splitlines()]
    assert {each["event"] for each in told} == {"progress"}
    assert (told[-1]["done"], told[-1]["total"], told[-1]["eta_s"]) == (7, 7, 0.0)
    assert told[-1]["per_s"] > 0


def test_plan_only_shows_the_plan_and_runs_nothing() -> None:
    plan = _run(*CROSS, *GRID, "--plan-only")
    assert [variant["kind"] for variant in plan["variants"]] == ["baseline", *["grid"] * 6]
    assert plan["variants"][6]["overrides"] == {"entry.params.fast": 3, "entry.params.slow": 9}
    assert "entry.params.fast=3, entry.params.slow=9" in surefill("sweep", "run", *CROSS, *GRID, "--plan-only").out
    assert not Path("sweeps.journal").exists()


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--max-variants", "3"), ["baseline", "grid", "grid"]),
        (("--sample", "random", "--samples", "2", "--no-ablations"), ["baseline", "sample", "sample"]),
        (("-S", "max_positions=1,2", "--max-variants", "2"), ["baseline", "grid"]),
        (("-S", "risk.dollars_per_trade=10:20:10", "--max-variants", "2"), ["baseline", "grid"]),
    ],
)
def test_plan_has_what_the_options_ask_for(words: tuple[str, ...], kinds: list[str]) -> None:
    plan = _run(*CROSS, *GRID, *words, "--plan-only")
    assert [variant["kind"] for variant in plan["variants"]] == kinds


@pytest.mark.parametrize(
    "how", [("--train", "0.6"), ("--walk-forward", "20:15"), ("--walk-forward", "20:15", "--anchored")]
)
def test_out_of_sample_stands_beside_in_sample(how: tuple[str, ...]) -> None:
    found = _run(*CROSS, *GRID, *HERE, *how)
    assert found["windows"]
    for window in found["windows"]:
        figures = [window[key]["return_pct"] for key in ("in_sample", "out_of_sample", "baseline_out_of_sample")]
        assert all(isinstance(each, float) for each in figures)
    assert found["out_of_sample"]["days"] > 0
    shown = surefill("sweep", "show", found["run_plan_id"]).out
    assert "judged by what came next" in shown
    assert "out of sample, one test after the other" in shown


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_has_a_row_for_each_variant(suffix: str, tmp_path: Path) -> None:
    found = _run(*CROSS, *GRID, *HERE)
    file = tmp_path / f"out.{suffix}"
    ran = surefill("sweep", "export", found["run_plan_id"], file, "--json")
    assert ran.json() == {"file": str(file), "rows": 7}
    if suffix == "csv":
        with file.open() as lines:
            rows = [{key: value or None for key, value in row.items()} for row in csv.DictReader(lines)]
        expected = [
            {key: None if value in (None, "") else str(value) for key, value in row.items()} for row in found["rows"]
        ]
    else:
        rows = pyarrow.parquet.read_table(file).to_pylist()
        expected = found["rows"]
    assert rows == expected
    assert rows[1]["starting_equity"] == "10000"


def test_own_strategy_that_fails_is_told_and_may_be_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "mischief.py"
    file.write_text(MISCHIEF)
    words = (f"{file}:Mischief", *QUICK, *HERE, "-S", "n=2,3,4")
    (tmp_path / "raise-3").touch()
    ran = surefill("sweep", "run", *words)
    assert ran.code == 0
    assert "ZeroDivisionError: variant 3 cannot be" in ran.out
    (tmp_path / "raise-3").unlink()
    run_id = surefill("sweep", "list", "--json").json()[0]["run_plan_id"]
    again = surefill("sweep", "resume", run_id, "--again", *HERE, "--json").json()
    assert (again["completed"], again["failed"]) == (4, 0)
    file.write_text(MISCHIEF + "\n")
    assert _run(*words)["run_plan_id"] != run_id, "the strategy was changed, and its old results were shown"


def test_run_in_which_everything_fails_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mischief.py"
    file.write_text(MISCHIEF)
    for number in (1, 2):
        (tmp_path / f"raise-{number}").touch()
    ran = surefill("sweep", "run", f"{file}:Mischief", *QUICK, *HERE, "-S", "n=2")
    assert (ran.code, "all 2 variants failed" in ran.err) == (4, True)


def test_run_of_the_configured_strategy_in_another_folder_is_resumed_from_here(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    rows = [
        f"{1_700_006_400 + 3_600 * at},{at % 7 + 10},{at % 7 + 11},{at % 7 + 9},{at % 7 + 10.5},1" for at in range(60)
    ]
    (folder / "X.csv").write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    (folder / "c.yaml").write_text(
        "feed: {source: csv, path: X.csv, timeframe: 1h}\n"
        "instruments: {default: {calendar: 24x7}}\n"
        "strategies:\n  - {entry: {type: donchian}, risk: {dollars_per_trade: 1000}}\n"
    )
    found = _run("-c", folder / "c.yaml", "-S", "entry_bars=2,3", *HERE)
    assert found["completed"] == 3
    assert surefill("sweep", "resume", found["run_plan_id"], *HERE, "--json").json() == found


def _begun(folder: Path, *words: str) -> Any:
    """A run in a process of its own that has written its first outcomes."""
    process = start(
        folder, "sweep", "run", *CROSS, "-S", "fast=1:40", "-S", "slow=41:60", "--path", "engine", "--json", *words
    )
    until = time.monotonic() + 60
    while time.monotonic() < until:
        listed = surefill("sweep", "list", "--json") if (folder / "sweeps.journal").exists() else None
        if listed is not None and listed.code == 0 and listed.json() and listed.json()[0]["outcomes"] > 2:
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def _cut_short(run_id: str) -> Any:
    """The results so far, whatever was known."""
    return surefill("sweep", "show", run_id, "--json").json()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cancel", "interrupt", "kill"])
def test_run_in_another_process_is_stopped_and_nothing_known_is_lost(how: str, tmp_path: Path) -> None:
    process = _begun(tmp_path, *(HERE if how != "kill" else ("--workers", "1")))
    run_id = surefill("sweep", "list", "--json").json()[0]["run_plan_id"]
    locked = surefill("sweep", "resume", run_id, *HERE)
    assert (locked.code, "open for writing" in locked.err) == (5, True)
    if how == "cancel":
        assert surefill("sweep", "cancel", run_id, "--json").json()["status"] == "asked to stop"
    else:
        process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if how == "kill" else 130)
    stopped = _cut_short(run_id)
    assert stopped["status"] == ("running" if how == "kill" else "canceled")
    assert 2 < stopped["completed"] < stopped["variants"]
    if how == "kill":
        assert surefill("sweep", "cancel", run_id, "--json").json()["status"] == "canceled"
        assert _cut_short(run_id)["status"] == "canceled"
    assert not list(tmp_path.glob("*.cancel-*"))


SEARCH = (*CROSS, "-S", "fast=2:9", "-S", "slow=10:30", "--search", "bayes", "--trials", "20", "--seed", "1")


@pytest.mark.parametrize("what", [GRID, SEARCH[len(CROSS) :]], ids=["grid", "search"])
def test_run_on_a_full_disk_goes_on_to_the_same_results_when_there_is_room(
    what: tuple[str, ...], tmp_path: Path
) -> None:
    words = ("sweep", "run", *CROSS, *what, *HERE, "--keep-journals", "--json")
    full = on_a_full_disk(tmp_path, *words, bytes_max=150_000)
    assert full.code == 5, full.err
    assert "journal" in json.loads(full.err.splitlines()[-1])["error"]["message"]
    stopped = surefill("sweep", "list", "--json").json()[0]
    assert (stopped["status"], stopped["outcomes"] < (7 if what == GRID else 21)) == ("running", True)
    assert surefill(*words).json() == _run(*CROSS, *what, *HERE, "--keep-journals", "--journal", "other")


FAILURES = [
    (["run", *CROSS, "-S", "fast"], 2, "must be NAME=VALUES"),
    (["run", *CROSS, "-S", "guess=1"], 4, "guess cannot be swept"),
    (["run", *CROSS, "-S", "fast=0"], 4, "must be a whole number from 1"),
    (["run", *CROSS, "--objective", "luck"], 4, "'luck' is not known"),
    (["run", *CROSS, "--train", "2"], 2, "between 0 and 1"),
    (["run", *CROSS, "--train", "0.5", "--walk-forward", "5:5"], 2, "exclude each other"),
    (["run", *CROSS, "--walk-forward", "5"], 2, "TRAIN:TEST"),
    (["run", *CROSS, "--walk-forward", "500:5", *HERE], 4, "no more than the 500"),
    (["run", *CROSS, "--anchored"], 2, "belongs to --walk-forward"),
    (["run", *CROSS, "--fill-at", "yesterday"], 2, "next_open or close"),
    (["run", *CROSS, "--path", "magic"], 2, "must be one of auto"),
    (["run", *CROSS, "--sample", "random"], 4, "needs samples"),
    (["run", "-p", "fast=3"], 2, "belong to a STRATEGY"),
    (["run"], 3, "no strategy is configured"),
    (["show", "x"], 5, "there is no journal"),
    (["export", "x", "out.txt"], 2, "must end with .csv or .parquet"),
]


@pytest.mark.parametrize(("words", "code", "what"), FAILURES)
def test_what_is_wrong_is_told_with_its_exit_code(words: list[str], code: int, what: str) -> None:
    ran = surefill("sweep", *words)
    assert (ran.code, what in ran.err) == (code, True), ran.err


def test_run_that_is_not_there_is_told() -> None:
    _run(*CROSS, *HERE)
    for command in ("show", "resume", "cancel"):
        ran = surefill("sweep", command, "nothing")
        assert (ran.code, "no run" in ran.err) == (4, True)


def test_search_tries_what_it_was_asked_for_and_goes_on_to_the_same_results() -> None:
    found = _run(*SEARCH, *HERE, "--train", "0.6")
    trained = [row for row in found["rows"] if row["segment"] == "train"]
    assert [row["kind"] for row in trained] == ["baseline", *["trial"] * 20]
    assert found["variants"] == 21
    assert _run(*SEARCH, *HERE, "--train", "0.6", "--journal", "other.journal") == found
    run_id = found["run_plan_id"]
    assert surefill("sweep", "resume", run_id, *HERE, "--json").json() == found
    assert "for 21 variants" in surefill("sweep", "show", run_id).out
    assert surefill("sweep", "list", "--json").json()[0]["variants"] == 21
    assert surefill("sweep", "export", run_id, "out.csv").code == 0
    assert len(list(csv.DictReader(Path("out.csv").read_text().splitlines()))) == len(found["rows"])
    planned = surefill("sweep", "run", *SEARCH, "--plan-only")
    assert "follows from results" in planned.out


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--search", "grid", "--trials", "5"), "must be bayes"),
        (("--search", "bayes"), "needs --trials N"),
        (("--search", "bayes", "--trials", "5", "--sample", "random"), "exclude each other"),
        (("--trials", "5"), "belong to --search"),
        (("--batch", "5"), "belong to --search"),
        (("--sample", "bayes", "--samples", "5"), "asked for with --search"),
    ],
)
def test_search_that_cannot_be_is_refused_with_what_to_do(flags: tuple[str, ...], why: str) -> None:
    ran = surefill("sweep", "run", *CROSS, "-S", "fast=2:9", *flags, "--json")
    assert ran.code == 2
    assert why in json.loads(ran.err)["error"]["message"]
    assert not Path("sweeps.journal").exists()
