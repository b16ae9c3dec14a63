"""The files are a function of the journal: followed live, taken up after a crash, or made anew, the bytes are equal."""

from __future__ import annotations

import csv
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.views.trading import Trading, at_random

from surefill.domain.events import Event
from surefill.domain.inputs import Halt
from surefill.errors import ConfigError
from surefill.views import projector
from surefill.views.csv_rows import DAILY_HEADER, ORDERS_HEADER
from surefill.views.fold import Fold
from surefill.views.projector import CURSOR, Projector

ORDERS = "orders.csv"


class PowerCut(BaseException):
    """The process is gone; nobody catches this."""


def tree(root: Path) -> dict[str, bytes]:
    """Every artefact; not the projector's own notes."""
    paths = [path for path in root.rglob("*") if path.is_file() and ".surefill" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def made(trading: Trading, root: Path) -> dict[str, bytes]:
    """Start and stop a projector there; what it leaves."""
    view = Projector(root, trading.journal, trading.workspace_id)
    view.catch_up()
    view.close()
    return tree(root)


def rebuilt(trading: Trading, root: Path) -> dict[str, bytes]:
    """What the journal says, from scratch."""
    shutil.rmtree(root, ignore_errors=True)
    return made(trading, root)


def kill(view: Projector) -> None:
    """What a killed process leaves behind: no goodbye, no lock. (Its thread is not gone: let it come to rest.)"""
    view.flush()
    assert view._lock is not None
    view._lock.release()


def followed(trading: Trading, root: Path) -> Projector:
    view = Projector(root, trading.journal, "main")
    view.catch_up()
    trading.writer.subscribers.append(view.follow)
    return view


def some_trading() -> Trading:
    trading = Trading()
    trading.price(1_950_000)
    trading.trade(1, 1)
    trading.price(1_960_000)
    trading.trade(-1, 2)
    return trading


def trade_on(trading: Trading) -> None:
    for px in range(1_940_000, 1_950_000, 1_000):
        trading.price(px)
        trading.trade(1, 1)


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_projector_of_random_trading_followed_live_writes_the_bytes_of_a_rebuild(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    root = tmp_path_factory.mktemp("files")
    views: list[Projector] = []

    def attach(trading: Trading) -> None:
        if not views:
            views.append(followed(trading, root / "live"))

    trading = at_random(random.Random(seed), 60, after=attach)
    views[0].flush()
    assert views[0].failure is None
    assert tree(root / "live") == rebuilt(trading, root / "again")
    views[0].close()


def _dying(call: Callable[..., object], after: int, *, half: bool) -> Callable[..., object]:
    """A system call that works `after` times, then half works (if asked), and never returns; on this thread only."""
    left, victim = [after], threading.get_ident()

    def dying(*args: object, **options: object) -> object:
        if threading.get_ident() != victim:
            return call(*args, **options)
        left[0] -= 1
        if left[0] >= 0:
            return call(*args, **options)
        if half and isinstance(args[1], bytes | memoryview):
            call(args[0], bytes(args[1])[: len(bytes(args[1])) // 2], *args[2:])
        raise PowerCut

    return dying


@pytest.mark.parametrize("half", [False, True], ids=["before", "in the middle of"])
@pytest.mark.parametrize("call", ["write", "pwrite", "open"])
@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_projector_killed_at_a_system_call_goes_on_with_the_bytes_of_a_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: int, half: bool
) -> None:
    trading = some_trading()
    killed = followed(trading, tmp_path / "live")
    with monkeypatch.context() as patch:
        patch.setattr(
            f"surefill.views.appended_file.os.{call}", _dying(getattr(os, call), after, half=half and call != "open")
        )
        with pytest.raises(PowerCut):
            trade_on(trading)
    trading.writer.subscribers.clear()
    kill(killed)
    trading.trade(-1, 1)
    again = followed(trading, tmp_path / "live")
    trading.trade(1, 2)
    again.flush()
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


@pytest.mark.parametrize("after", range(6))
def test_projector_killed_while_rebuilding_heals_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    trading = some_trading()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _dying(Path.replace, after, half=False))
        killed = Projector(tmp_path / "live", trading.journal, "main")
        with pytest.raises(PowerCut):
            killed.catch_up()
    kill(killed)
    trading.trade(1, 1)
    assert made(trading, tmp_path / "live") == rebuilt(trading, tmp_path / "again")


def _edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"BUY", b"SEL"))


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"forged,row\n")


DAMAGE: list[tuple[str, Callable[[Path], object]]] = [
    ("edited", lambda root: _edit(root / ORDERS)),
    ("cut", lambda root: os.truncate(root / ORDERS, 100)),
    ("deleted", lambda root: (root / ORDERS).unlink()),
    ("appended to", lambda root: _append(root / ORDERS)),
    ("of a day edited", lambda root: _edit(next(root.glob("journal/*/orders.csv")))),
    ("of a day deleted", lambda root: shutil.rmtree(root / "journal")),
    ("positions edited", lambda root: (root / "checkpoints/paper_state_latest.json").write_bytes(b"{}")),
    ("metrics deleted", lambda root: (root / "analytics/runtime_metrics.json").unlink()),
    ("cursor garbled", lambda root: (root / CURSOR).write_bytes(b"{")),
    ("cursor deleted", lambda root: (root / CURSOR).unlink()),
    ("notes deleted", lambda root: shutil.rmtree(root / ".surefill")),
    ("saved fold garbled", lambda root: (root / projector.SAVED_FOLD).write_bytes(b'{"seq":1}')),
    ("everything deleted", shutil.rmtree),
]


@pytest.mark.parametrize("damage", [row[1] for row in DAMAGE], ids=[row[0] for row in DAMAGE])
def test_projector_of_damaged_files_heals_them_at_the_next_start(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    trading = some_trading()
    made(trading, tmp_path / "live")
    trading.trade(1, 3)
    damage(tmp_path / "live")
    found = {name: data for name, data in made(trading, tmp_path / "live").items() if "set-aside" not in name}
    assert found == rebuilt(trading, tmp_path / "again")


@pytest.mark.parametrize("damage", [DAMAGE[1][1], DAMAGE[2][1], DAMAGE[3][1]], ids=["cut", "deleted", "appended to"])
def test_projector_that_follows_notices_a_changed_log_and_rebuilds(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    trading = some_trading()
    view = followed(trading, tmp_path / "live")
    damage(tmp_path / "live")
    trading.trade(1, 3)
    trading.trade(-1, 3)
    view.flush()
    assert view.failure is None
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


def test_projector_start_begins_from_the_saved_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trading = some_trading()
    view = followed(trading, tmp_path / "live")
    view.close()
    folded: list[Event] = []
    apply = Fold.apply

    def counted(fold: Fold, event: Event) -> None:
        folded.append(event)
        apply(fold, event)

    monkeypatch.setattr(Fold, "apply", counted)
    again = Projector(tmp_path / "live", trading.journal, "main")
    again.catch_up()
    assert folded == []
    trading.writer.subscribers[:] = [again.follow]
    trading.trade(-1, 1)
    again.flush()
    assert len(folded) == trading.writer.state.book.seq - view.seq
    assert again.fold.state.digest() == trading.writer.state.digest()
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


def test_projector_saves_its_fold_every_so_many_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "SAVE_EVERY", 5)
    trading = some_trading()
    followed(trading, tmp_path / "live")
    for _ in range(5):
        trading.trade(1, 1)
    saved = msgspec.json.decode((tmp_path / "live" / projector.SAVED_FOLD).read_bytes())
    assert trading.writer.state.book.seq - 5 < saved["seq"] <= trading.writer.state.book.seq


def test_projector_of_another_journal_of_the_same_name_rebuilds(tmp_path: Path) -> None:
    made(some_trading(), tmp_path / "live")
    other = Trading()
    other.price(10_000)
    other.trade(-1, 7)
    assert made(other, tmp_path / "live") == rebuilt(other, tmp_path / "again")


def over_days(count: int, step: int = 1, level: int = 1_950_000) -> Trading:
    """A trade on each of so many trading days."""
    trading = Trading()
    for _ in range(count):
        trading.price(level)
        trading.trade(1, 1)
        trading.tick(step * 7 * 86_400)
    return trading


def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[Projector]:
    """Every rebuild from now on."""
    seen: list[Projector] = []
    rebuild = Projector._rebuild_logs

    def counted(view: Projector) -> None:
        seen.append(view)
        rebuild(view)

    monkeypatch.setattr(Projector, "_rebuild_logs", counted)
    return seen


def trade_weekly(trading: Trading, count: int) -> None:
    for _ in range(count):
        trading.price(1_950_000)
        trading.trade(1, 1)
        trading.tick(7 * 86_400)


def test_projector_among_another_journals_days_rebuilds_once_and_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(over_days(12), tmp_path / "live")
    other = over_days(1, level=10_000)
    seen = rebuilds(monkeypatch)
    capsys.readouterr()
    view = followed(other, tmp_path / "live")
    trade_weekly(other, 12)
    view.close()
    assert len(seen) == 1
    assert "".join(capsys.readouterr()).count("old_days_cleared") == 1
    assert tree(tmp_path / "live") == rebuilt(other, tmp_path / "again")


def test_projector_with_an_equal_last_event_of_another_stream_rebuilds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trading = over_days(2)
    made(trading, tmp_path / "live")
    cursor = msgspec.json.decode((tmp_path / "live" / CURSOR).read_bytes(), type=projector.Cursor)
    foreign = msgspec.structs.replace(cursor, stream="00" * 32)
    (tmp_path / "live" / CURSOR).write_bytes(msgspec.json.encode(foreign))
    seen = rebuilds(monkeypatch)
    made(trading, tmp_path / "live")
    made(trading, tmp_path / "live")
    assert len(seen) == 1


def test_projector_killed_after_beginning_a_day_starts_with_one_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trading = over_days(3)
    killed = followed(trading, tmp_path / "live")
    trading.price(1_950_000)  # the session begins
    with monkeypatch.context() as patch:
        patch.setattr("surefill.views.appended_file.os.pwrite", _dying(os.pwrite, 0, half=False))
        with pytest.raises(PowerCut):
            trade_weekly(trading, 1)
    trading.writer.subscribers.clear()
    kill(killed)
    seen = rebuilds(monkeypatch)
    again = followed(trading, tmp_path / "live")
    trade_weekly(trading, 3)
    again.close()
    assert len(seen) == 1
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


@pytest.mark.parametrize("after", range(8))
def test_projector_killed_among_another_journals_days_heals_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    made(over_days(12), tmp_path / "live")
    other = over_days(4, step=2)  # every day of it is one of the longer journal's
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _dying(Path.replace, after, half=False))
        killed = Projector(tmp_path / "live", other.journal, "main")
        with pytest.raises(PowerCut):
            killed.catch_up()
    kill(killed)
    trade_weekly(other, 5)
    assert made(other, tmp_path / "live") == rebuilt(other, tmp_path / "again")


def test_projector_sets_a_foreign_day_aside(tmp_path: Path) -> None:
    foreign = tmp_path / "journal/2020-01-01/orders.csv"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("not ours\n")
    made(some_trading(), tmp_path)
    assert not foreign.exists()
    assert foreign.with_name("orders.csv.set-aside").read_text() == "not ours\n"


def test_projector_in_the_folder_of_another_workspace_is_refused(tmp_path: Path) -> None:
    made(some_trading(), tmp_path)
    other = Trading(workspace_id="other")
    with pytest.raises(ConfigError, match=r"holds the files of workspace 'main', not of 'other'.*artifacts\.dir"):
        Projector(tmp_path, other.journal, "other").catch_up()
    made(some_trading(), tmp_path)  # and the refused one has let go of the folder


def test_projector_where_another_keeps_the_files_is_refused(tmp_path: Path) -> None:
    trading = some_trading()
    view = followed(trading, tmp_path)
    with pytest.raises(ConfigError, match=rf"are being kept by process {os.getpid()}") as refused:
        Projector(tmp_path, trading.journal, "main").catch_up()
    assert refused.value.code == "ARTEFACTS_LOCKED"
    view.close()
    made(trading, tmp_path)


@pytest.mark.parametrize("name", [ORDERS, "checkpoints/paper_state_latest.json"])
def test_projector_sets_a_foreign_file_aside(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("not ours\n")
    made(some_trading(), tmp_path)
    assert (tmp_path / f"{name}.set-aside").read_text() == "not ours\n"
    assert (tmp_path / name).read_text() != "not ours\n"


def test_projector_that_cannot_write_tells_and_disturbs_nobody(tmp_path: Path) -> None:
    trading = some_trading()
    heard: list[object] = []
    view = followed(trading, tmp_path / "live")
    view.listeners.append(heard.append)
    shutil.rmtree(tmp_path / "live")
    (tmp_path / "live").write_text("a file where the folder was")
    trading.trade(1, 1)
    assert isinstance(view.failure, OSError)
    trading.trade(1, 1)
    assert len(heard) == 2  # listeners hear of it all the same
    view.close()


def test_projector_that_was_not_told_of_a_commit_reads_it_from_the_journal(tmp_path: Path) -> None:
    trading = some_trading()
    view = followed(trading, tmp_path / "live")
    trading.writer.subscribers.clear()
    trading.trade(1, 1)
    trading.writer.subscribers.append(view.follow)
    trading.trade(1, 1)
    view.flush()
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


def test_projector_told_of_a_commit_twice_writes_it_once(tmp_path: Path) -> None:
    trading = some_trading()
    view = followed(trading, tmp_path / "live")
    trading.writer.subscribers.append(view.follow)
    trading.trade(1, 1)
    view.flush()
    assert tree(tmp_path / "live") == rebuilt(trading, tmp_path / "again")


def test_orders_csv_has_the_documents_columns_and_a_row_per_step(tmp_path: Path) -> None:
    trading = some_trading()
    trading.feed(Halt(trading.tick(), "TEST", "a drill", "a person"))
    trading.trade(-1, 3)
    made(trading, tmp_path)
    header, *rows = csv.reader((tmp_path / ORDERS).read_text().splitlines())
    assert tuple(header) == ORDERS_HEADER
    assert ",".join(header) == (
        "timestamp,order_id,symbol,side,quantity,price,status,exchange,product,strategy,tf,mode,underlying"
    )
    first = "2025-11-19T09:20:02Z,V3-20251119092002-0001,NIFTY24DECFUT,BUY,1,19500.0,FILLED"
    assert ",".join(rows[0]) == first + ",NFO,MIS,EMA_20_50,5m,paper,NIFTY"
    assert [row[3:7] for row in rows[1:]] == [["SELL", "2", "19600.0", "FILLED"], ["SELL", "3", "0.0", "REJECTED"]]


def test_daily_log_has_the_doors_columns_and_the_venues_day(tmp_path: Path) -> None:
    trading = some_trading()
    trading.tick(3 * 86_400)  # a Saturday: the exchange's next day is Monday
    trading.trade(1, 5)
    made(trading, tmp_path)
    header, *rows = csv.reader((tmp_path / "journal/2025-11-19/orders.csv").read_text().splitlines())
    assert tuple(header) == DAILY_HEADER
    assert [row[4:9] for row in rows] == [
        ["BUY", "1", "MARKET", "FILLED", "19500.0"],
        ["SELL", "2", "MARKET", "FILLED", "19600.0"],
    ]
    assert len((tmp_path / "journal/2025-11-24/orders.csv").read_text().splitlines()) == 2


def test_documents_show_positions_and_totals(tmp_path: Path) -> None:
    trading = some_trading()  # bought 1 at 19500, sold 2 at 19600: short 1
    made(trading, tmp_path)
    assert msgspec.json.decode((tmp_path / "checkpoints/paper_state_latest.json").read_bytes()) == {
        "positions": {
            "NIFTY24DECFUT": {"quantity": -1, "avg_price": 19600.0, "realized_pnl": 100.0, "unrealized_pnl": 0.0}
        }
    }
    assert msgspec.json.decode((tmp_path / "analytics/runtime_metrics.json").read_bytes()) == {
        "total_orders": 2,
        "active_positions": 1,
        "realized_pnl": 100.0,
        "unrealized_pnl": 0.0,
        "total_pnl": 100.0,
    }


def test_unrealised_in_files_comes_from_journaled_prices_alone(tmp_path: Path) -> None:
    trading = some_trading()
    trading.price(1_900_000)  # a quote is not journaled: it may not show in what can be rebuilt
    trading.price(1_900_000, "RELIANCE")
    view = Projector(tmp_path, trading.journal, "main")
    view.catch_up()
    assert b'"unrealized_pnl": 0.0' in tree(tmp_path)["checkpoints/paper_state_latest.json"]
    trading.writer.subscribers.append(view.follow)
    trading.trade(-1, 1)  # a fill at 19000 is: short 2 from 19300 on average
    view.flush()
    assert b'"unrealized_pnl": 600.0' in tree(tmp_path)["checkpoints/paper_state_latest.json"]
