"""A session: one open workspace for many doors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from surefill.config import Settings, load_settings
from surefill.domain.events import Event, InstrumentDefined, OrderFilled
from surefill.domain.inputs import ResetWorkspace, Resume
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Quote, Source
from surefill.engine.clock import VirtualClock
from surefill.engine.receipt import Verdict
from surefill.errors import AppendFailed, ConfigError, InputError, JournalError, JournalLocked, LocalError, StaleWriter
from surefill.intake.session import Session, open_journal
from surefill.journal import Batch, MemoryJournal, SqliteJournal
from surefill.journal.noted_halts import noted_halts


def _settings(folder: Path | None = None, **flags: object) -> Settings:
    named = {key.replace("__", "."): value for key, value in flags.items()}
    if folder is not None:
        named["journal.path"] = str(folder / "deep" / "j")
    return load_settings(None, {"execution.engine": "v3", **named}, {})


def _intent(intent_id: str, symbol: str = "NIFTY", side: int = 1, qty: int = 75) -> Intent:
    return Intent(intent_id, intent_id, "signals", "s", symbol, Action.TRADE, side, qty)


def test_session_takes_up_what_the_one_before_it_left(tmp_path: Path) -> None:
    with Session.open(_settings(tmp_path)) as first:
        first.submit(_intent("a"), first.make_quote("NIFTY", last="19500.05"))
        digest = first.read(lambda state: state.digest())
    with Session.open(_settings(tmp_path)) as second:
        assert second.read(lambda state: state.book.positions["NIFTY"].qty) == 75
        assert second.submit(_intent("a"), second.make_quote("NIFTY", last="19500.05")).verdict == Verdict.DUPLICATE
        assert second.read(lambda state: state.digest()) != digest  # the books were compared: that is an event


def test_session_beside_another_on_one_journal_is_refused(tmp_path: Path) -> None:
    with Session.open(_settings(tmp_path)), pytest.raises(JournalLocked):
        Session.open(_settings(tmp_path))
    Session.open(_settings(tmp_path)).close()


def test_session_that_cannot_open_leaves_the_journal_free(tmp_path: Path) -> None:
    Session.open(_settings(tmp_path)).close()
    with pytest.raises(ConfigError, match="has currency 'INR' for ever"):
        Session.open(_settings(tmp_path, workspace__currency="USD"))
    Session.open(_settings(tmp_path)).close()


def test_instrument_is_defined_once_when_it_is_first_met() -> None:
    events: list[Event] = []
    with Session.open(_settings(), journal=MemoryJournal()) as session:
        session.subscribe(lambda _seq, batch: events.extend(batch))
        for _ in range(3):
            assert session.ensure_instrument("NIFTY").terms[0].tick == 500
        session.quote("NIFTY", last=19500)
    assert [event.instrument.instrument_id for event in events if isinstance(event, InstrumentDefined)] == ["NIFTY"]


def test_instrument_whose_quanta_changed_in_the_configuration_is_refused(tmp_path: Path) -> None:
    with Session.open(_settings(tmp_path)) as session:
        session.ensure_instrument("NIFTY")
    with (
        Session.open(_settings(tmp_path, instruments={"default": {"price_decimals": 2}})) as session,
        pytest.raises(InputError, match="other quanta than before"),
    ):
        session.ensure_instrument("NIFTY")


def test_configured_instruments_are_defined_at_once(tmp_path: Path) -> None:
    with Session.open(_settings(tmp_path, instruments={"default": {"lot": 1}, "X": {"lot": 5}})) as session:
        assert session.read(lambda state: list(state.book.instruments)) == ["X"]


QUOTES = [
    ({"last": 19500.05}, (195_000_500, 0, 0, 0, 0, Source.LAST)),
    ({"bid": "1.1", "ask": "1.2"}, (0, 11_000, 12_000, 0, 0, Source.QUOTE)),
    ({"last": 1, "bid": 1, "ask": 2, "bid_size": 3, "ask_size": 4}, (10_000, 10_000, 20_000, 3, 4, Source.QUOTE)),
]


@pytest.mark.parametrize(("given", "expected"), QUOTES)
def test_quote_of_numbers_as_people_write_them_is_in_quanta(given: dict[str, Any], expected: tuple[int, ...]) -> None:
    with Session.open(_settings(), journal=MemoryJournal(), clock=VirtualClock(7)) as session:
        made = session.make_quote("X", **given)
        assert made == Quote("X", 7, *expected)
        session.quote("X", **given)
        assert session.read(lambda state: state.quotes["X"]) == made


@pytest.mark.parametrize(
    ("price", "code"),
    [(0, "NOT_POSITIVE"), (-1, "NOT_POSITIVE"), ("nan", "NOT_FINITE"), ("x", "NOT_A_NUMBER"), (1.00001, "TOO_FINE")],
)
def test_quote_of_an_impossible_price_is_refused(price: float | str, code: str) -> None:
    with Session.open(_settings(), journal=MemoryJournal()) as session:
        with pytest.raises(InputError) as caught:
            session.make_quote("X", last=price)
        assert caught.value.code == code


def test_many_threads_share_a_session_and_every_intent_fills_once() -> None:
    filled: list[int] = []
    with Session.open(_settings(workspace__starting_equity=0), journal=MemoryJournal()) as session:
        session.subscribe(
            lambda _seq, events: filled.extend(event.last_qty for event in events if isinstance(event, OrderFilled))
        )

        def trade(name: str) -> None:
            for number in range(20):
                session.submit(_intent(f"{number}", name), session.make_quote(name, last=10))

        threads = [threading.Thread(target=trade, args=(name,)) for name in ("A", "B", "A", "B")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # twenty keys in all: each was claimed by one symbol, the other's intent under it is a conflict
        assert session.read(lambda state: sum(p.qty for _, p in state.open_positions())) == 20 * 75
    assert filled == [75] * 20


def test_closed_session_says_so_and_closes_twice(tmp_path: Path) -> None:
    session = Session.open(_settings(tmp_path))
    session.close()
    session.close()
    with pytest.raises(LocalError, match="is closed: open another"):
        session.submit(_intent("a"))


def test_session_whose_workspace_another_writes_says_so() -> None:
    journal = MemoryJournal()
    with Session.open(_settings(), journal=journal) as session:
        session.check_writing()
        journal.open_stream(session.workspace_id)
        for _ in range(2):
            with pytest.raises(StaleWriter, match="has another writer"):
                session.check_writing()


class Failing(SqliteJournal):
    """Its next appends fail, so many of them."""

    failing = 0

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        if self.failing:
            self.failing -= 1
            raise AppendFailed("the disk is full", durable="no")
        return super().append(batches)


@pytest.mark.parametrize("failing", [1, 2])
def test_halt_after_a_failed_commit_is_noted_only_if_it_fails_too(tmp_path: Path, failing: int) -> None:
    path = tmp_path / "j"
    with closing(Failing(path)) as journal, Session.open(_settings(), journal=journal) as session:
        quote = session.make_quote("NIFTY", last="19500.05")
        journal.failing = failing
        with pytest.raises(AppendFailed):
            session.submit(_intent("a"), quote)
    noted = noted_halts(path)
    assert {name: each.code for name, each in noted.items()} == ({} if failing == 1 else {"main": "APPEND_FAILED"})
    with closing(SqliteJournal(path)) as again, Session.open(_settings(), journal=again) as session:
        assert session.read(lambda state: state.book.halted_code) == "APPEND_FAILED"
        assert noted_halts(path) == {}
        session.feed(Resume(session.engine.clock.now_ns(), "ann"))
    with closing(SqliteJournal(path)) as again, Session.open(_settings(), journal=again) as session:
        assert session.read(lambda state: state.book.halted_code) == ""


def test_journal_that_was_given_stays_open() -> None:
    journal = MemoryJournal()
    Session.open(_settings(), journal=journal).close()
    assert journal.heads()["main"].seq > 0


def test_mode_that_is_not_there_yet_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="live needs a real one"):
        Session.open(_settings(tmp_path, workspace__mode="live"))
    assert not (tmp_path / "deep").exists()


def test_folder_that_cannot_be_made_is_a_configuration_mistake(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file")
    with pytest.raises(ConfigError, match=r"journal\.path is .*its folder cannot be made"):
        open_journal(_settings(tmp_path))


def test_starting_equity_that_was_changed_is_refused_before_anything_is_written() -> None:
    journal = MemoryJournal()
    Session.open(_settings(), journal=journal).close()
    before = journal.heads()
    with pytest.raises(ConfigError, match=r"began with 10000 INR, workspace\.starting_equity is 20000 .*new workspace"):
        Session.open(_settings(workspace__starting_equity="20000"), journal=journal)
    assert journal.heads() == before


@pytest.mark.parametrize("equity", ["10000", "500"])
def test_workspace_that_was_reset_starts_with_its_first_equity_and_with_its_new_one(equity: str) -> None:
    journal = MemoryJournal()
    with Session.open(_settings(), journal=journal) as first:
        first.feed(ResetWorkspace(first.engine.clock.now_ns(), 500 * 10**8, "ann"))
    with Session.open(_settings(workspace__starting_equity=equity), journal=journal) as second:
        assert second.read(lambda state: state.book.starting_cash) == 500 * 10**8
    with pytest.raises(ConfigError, match="began with 500 INR"):
        Session.open(_settings(workspace__starting_equity="600"), journal=journal)
