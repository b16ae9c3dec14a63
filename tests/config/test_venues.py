"""Keys of real venues: where they come from, who may read them, and that nobody sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefill.config import load_settings, opening_of
from surefill.config.core import config_hash, money_decimals_of
from surefill.config.key_file import keys_in
from surefill.config.listing import listing
from surefill.config.venues import REAL_VENUES
from surefill.errors import ConfigError
from surefill.intake.arrival import check_access
from surefill.intake.venues import KINDS, keys_of
from surefill.venues.protocol import Access

BINANCE = {"workspace.venue": "binance", "workspace.mode": "dry_run"}
KNOWN = frozenset({"api_key", "api_secret"})


def _file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "keys"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_keys_come_from_the_environment_before_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "# mine\napi_key = of the file\n\napi_secret=s=1\n")
    settings = load_settings(
        None,
        {**BINANCE, "venues.crypto.key_file": str(path)},
        {"SUREFILL__VENUES__CRYPTO__API_KEY": "of the environment"},
    )
    assert keys_of(settings) == {"api_key": "of the environment", "api_secret": "s=1"}


def test_key_that_is_missing_is_named_with_the_variable_to_set() -> None:
    with pytest.raises(ConfigError, match="binance needs api_key, api_secret: set SUREFILL__VENUES__CRYPTO__API_KEY"):
        keys_of(load_settings(None, BINANCE, {}))


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("api_key=canary", 0o644, r"can be read by others \(mode 644\): chmod 600"),
        ("api_kay=canary", 0o600, "line 1 of the key file .* is none of api_key, api_secret"),
        ("canary", 0o600, "line 1"),
    ],
)
def test_key_file_that_is_wrong_is_refused_without_its_text(tmp_path: Path, text: str, mode: int, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        keys_in(_file(tmp_path, text, mode), KNOWN)
    assert "canary" not in str(refused.value)


def test_key_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: FileNotFoundError"):
        keys_in(tmp_path / "no", KNOWN)


def test_keys_are_never_shown_and_do_not_decide() -> None:
    settings = [
        load_settings(None, {**BINANCE, "venues.crypto.api_key": key, "venues.crypto.api_secret": key}, {})
        for key in ("canary1", "canary2")
    ]
    assert "canary" not in repr(settings) + repr([listing(each) for each in settings])
    assert config_hash(settings[0]) == config_hash(settings[1])


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"workspace.venue": "nasdaq"}, "it may be paper or one of binance"),
        ({"workspace.venue": "kite", "workspace.mode": "paper"}, "a workspace at kite is dry_run or live"),
        ({"workspace.mode": "live"}, "live needs a real one"),
        ({**BINANCE, "workspace.mode": "live", "execution.dry_run": True}, "that forbids mode live"),
    ],
)
def test_mode_and_venue_must_belong_together(flags: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        opening_of(load_settings(None, flags, {}), 1)


def test_every_real_venue_is_listed() -> None:
    assert tuple(kind.name for kind in KINDS) == REAL_VENUES


@pytest.mark.parametrize(
    ("access", "why"),
    [
        (Access("a", can_trade=False, can_withdraw=False, detail="read only"), "may not trade \\(read only\\)"),
        (Access("a", can_trade=True, can_withdraw=True), "may withdraw money"),
    ],
)
def test_keys_that_may_too_little_or_too_much_are_refused(access: Access, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        check_access(access, "binance")


@pytest.mark.parametrize("can_withdraw", [False, None])
def test_keys_that_can_only_trade_are_taken(can_withdraw: bool | None) -> None:
    check_access(Access("a", can_trade=True, can_withdraw=can_withdraw, clock_ahead_ns=5 * 10**9), "binance")


@pytest.mark.parametrize(("written", "decimals"), [({}, 12), ({"workspace.money_decimals": 10}, 10)])
def test_money_at_a_crypto_exchange_is_counted_finely_enough_for_commissions(
    written: dict[str, object], decimals: int
) -> None:
    settings = load_settings(None, {**BINANCE, "execution.engine": "v3", **written}, {})
    assert money_decimals_of(settings) == decimals
