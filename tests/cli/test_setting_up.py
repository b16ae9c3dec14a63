"""init, show-config, doctor, version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import configured, on_a_full_disk, surefill, tampered, traded

from surefill import __version__
from surefill.journal.file_lock import FileLock


def test_init_writes_a_configuration_that_trades_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = surefill("init", tmp_path / "new", "--engine", "v3", "-w", "w1", "--json").json()
    assert told["profile"] == "v3"
    assert (tmp_path / "new" / "artifacts").is_dir()
    monkeypatch.chdir(tmp_path / "new")  # ./surefill.yaml is found by itself
    ran = surefill("trade", "--set", "feed.symbols=[IBM]", "--json")
    assert (ran.code, ran.json()["status"]["workspace"], ran.json()["finished"]) == (0, "w1", True)
    assert (tmp_path / "new" / "artifacts" / "orders.csv").is_file()


def test_init_keeps_a_configuration_that_is_there(tmp_path: Path) -> None:
    file = configured(tmp_path, "trading: {default_quantity: 9}\n")
    ran = surefill("init", tmp_path)
    assert (ran.code, file.read_text()) == (3, "trading: {default_quantity: 9}\n")
    assert "--force" in ran.err
    assert surefill("init", tmp_path, "--force").code == 0
    assert "default_quantity: 1" in file.read_text()


def test_init_of_an_engine_that_does_not_exist_writes_nothing(tmp_path: Path) -> None:
    ran = surefill("init", tmp_path / "x", "--engine", "v9")
    assert (ran.code, (tmp_path / "x").exists()) == (3, False)


def test_show_config_tells_values_sources_and_what_does_not_hold(tmp_path: Path) -> None:
    file = configured(tmp_path, "execution: {engine: v2}\n")
    told = surefill("show-config", "-c", file, "-s", "workspace.id=x", "--json").json()
    listed = {each["key"]: each for each in told["settings"]}
    assert listed["workspace.id"]["source"] == "flag workspace.id"
    assert listed["execution.slippage_bps"]["meant"] == "5.0"
    assert "workspace.id" in surefill("show-config", "-c", file).out


def test_show_config_of_a_mode_that_needs_a_venue_says_so(tmp_path: Path) -> None:
    told = surefill("show-config", "-s", "workspace.mode=live", "--json").json()
    assert "live needs a real one" in told["problem"]


def _verdicts(ran_out: str) -> dict[str, str]:
    return {each["check"]: each["verdict"] for each in json.loads(ran_out)}


def test_doctor_finds_a_new_set_up_in_order(tmp_path: Path) -> None:
    ran = surefill("doctor", "-c", configured(tmp_path), "--json")
    assert ran.code == 0
    assert _verdicts(ran.out) == {
        "python": "ok",
        "sqlite": "ok",
        "clock": "ok",
        "build": "ok",
        "configuration": "ok",
        "disk": "ok",
        "durability": "ok",
        "journal": "note",
    }
    assert "synchronous=FULL" in ran.out
    assert list(tmp_path.iterdir()) == [tmp_path / "surefill.yaml"]  # it leaves nothing behind


def test_doctor_reads_the_tail_of_a_journal(tmp_path: Path) -> None:
    ran = surefill("doctor", "-c", traded(tmp_path), "--json")
    assert (ran.code, _verdicts(ran.out)["journal, workspace main"]) == (0, "ok")


def test_doctor_tells_whether_the_journal_knows_this_build_and_configuration(tmp_path: Path) -> None:
    file = traded(tmp_path)

    def told(*more: str) -> dict[str, str]:
        found = surefill("doctor", "-c", file, "--json", *more).json()
        return {each["check"]: each["verdict"] for each in found if "of workspace main" in each["check"]}

    assert told() == {"configuration of workspace main": "ok", "build of workspace main": "ok"}
    changed = told("-s", "risk.order_value_max=5")
    assert changed == {"configuration of workspace main": "note", "build of workspace main": "ok"}


def test_doctor_finds_what_is_wrong_and_exits_with_7(tmp_path: Path) -> None:
    file = traded(tmp_path)
    tampered(tmp_path, 3)
    ran = surefill("doctor", "-c", file, "-s", "journal.disk_floor_mb=999999999", "--json")
    verdicts = _verdicts(ran.out)
    assert (ran.code, verdicts["disk"], verdicts["journal, workspace main"]) == (7, "WRONG", "WRONG")


@pytest.mark.parametrize("bytes_max", [0, 10_000, 100_000])
def test_doctor_on_a_full_disk_says_that_nothing_is_durable(tmp_path: Path, bytes_max: int) -> None:
    ran = on_a_full_disk(tmp_path, "doctor", "-c", configured(tmp_path), "--json", bytes_max=bytes_max)
    assert (ran.code, _verdicts(ran.out)["durability"]) == (7, "WRONG"), ran.err
    assert list(tmp_path.iterdir()) == [tmp_path / "surefill.yaml"]


def test_doctor_of_a_wrong_configuration_still_checks_the_rest(tmp_path: Path) -> None:
    ran = surefill("doctor", "-c", configured(tmp_path, "exection: {}\n"), "--json")
    verdicts = _verdicts(ran.out)
    assert (ran.code, verdicts["configuration"], verdicts["sqlite"]) == (7, "WRONG", "ok")
    assert "did you mean execution?" in ran.out


def test_doctor_tells_of_a_process_that_holds_the_journal(tmp_path: Path) -> None:
    file = traded(tmp_path)
    lock = FileLock(str(tmp_path / "surefill.journal.lock"))
    try:
        ran = surefill("doctor", "-c", file, "--json")
    finally:
        lock.release()
    assert _verdicts(ran.out)["engine"] == "note"
    assert "offers no control socket" in ran.out


def test_version_is_the_packages() -> None:
    assert surefill("--version").out == f"surefill {__version__}\n"
    assert surefill("version", "--json").json()["surefill"] == __version__


def test_init_on_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = on_a_full_disk(tmp_path, "init", "new")
    assert (ran.code, "cannot be written" in ran.err) == (3, True), ran.err
    assert list((tmp_path / "new").iterdir()) == []
