from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.venues.kite.lines import STAMP_NS

from surefill.errors import ConfigError
from surefill.venues.kite.sessions import Session, load, login_url, request_token_of, store

SESSION = Session("AB1234", "k", "canary", STAMP_NS)


def test_session_is_kept_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "a" / "session.json"
    store(SESSION, file)
    store(SESSION, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load(file, "k", STAMP_NS - 1) == SESSION
    assert [each.name for each in file.parent.iterdir()] == ["session.json"]
    assert "canary" not in f"{SESSION!r} {SESSION.access_token!r} {SESSION}"


def test_session_that_does_not_count_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    with pytest.raises(ConfigError, match="there is no"):
        load(file, "k", 0)
    store(SESSION, file)
    with pytest.raises(ConfigError, match="was over at 2026-11-27T04:30:00Z"):
        load(file, "k", STAMP_NS)
    with pytest.raises(ConfigError, match="another API key"):
        load(file, "other", 0)
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="read by others"):
        load(file, "k", 0)
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(ConfigError, match="holds no session"):
        load(file, "k", 0)


@pytest.mark.parametrize(
    "pasted", ["abc123", " abc123\n", "http://127.0.0.1/?action=login&status=success&request_token=abc123"]
)
def test_request_token_is_found_in_what_was_pasted(pasted: str) -> None:
    assert request_token_of(pasted) == "abc123"


def test_login_page_is_the_brokers() -> None:
    assert login_url("a b") == "https://kite.zerodha.com/connect/login?v=3&api_key=a+b"
