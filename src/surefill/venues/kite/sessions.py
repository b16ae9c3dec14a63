"""The daily access token: had with a login in the browser, kept in a file that is its owner's alone, over at six.

https://kite.trade/docs/connect/v3/user/: a login gives a request token of a few minutes, which the API secret turns
into an access token; that ends at 06:00 Indian time, whenever it was made.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from surefill.errors import ConfigError, VenueOutcomeUnknown, VenueRejected
from surefill.secret import Secret
from surefill.units import iso_from_ns
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.throttle import next_six_ns
from surefill.venues.kite.wire import Wire, data_of
from surefill.venues.protocol import Rejected, Unknown

LOGIN_URL: Final = "https://kite.zerodha.com/connect/login"


class Session(msgspec.Struct, frozen=True):
    """Who logged in, and until when the token counts."""

    user_id: str
    api_key: str
    token: str
    expires_ns: int

    def __repr__(self) -> str:
        return f"Session(user_id={self.user_id!r}, expires={iso_from_ns(self.expires_ns)})"

    @property
    def access_token(self) -> Secret:
        """The token."""
        return Secret(self.token)


class _Exchanged(msgspec.Struct):
    user_id: str
    access_token: str


def login_url(api_key: str, login: str = LOGIN_URL) -> str:
    """Where the user logs in."""
    return f"{login}?{urlencode({'v': 3, 'api_key': api_key})}"


def request_token_of(pasted: str) -> str:
    """The request token out of the address that the browser was sent to, or pasted alone. Raises ConfigError."""
    text = pasted.strip()
    found = parse_qs(urlsplit(text).query) if "=" in text else {"request_token": [text]}
    token = found.get("request_token", [""])[0]
    if not token.isalnum():
        status = found.get("status", ["no request token in it"])[0]
        raise ConfigError(f"the login did not succeed ({status}): log in again and paste the whole address")
    return token


async def exchange(settings: KiteSettings, request_token: str, now_ns: int) -> Session:
    """Turn a request token into a session. Raises VenueRejected, or VenueOutcomeUnknown: then log in again."""
    if settings.api_secret is None:
        raise ConfigError("the API secret is needed to log in")
    secret, wire = settings.api_secret.reveal(), Wire(settings)
    try:
        answer = await wire.call(lambda kite: _generate(kite, request_token, secret))
    finally:
        await wire.close()
    if isinstance(answer, Rejected):
        raise VenueRejected(f"Kite refused the login: {answer.code} {answer.text}")
    if isinstance(answer, Unknown):
        raise VenueOutcomeUnknown(f"Kite did not tell whether the login succeeded, log in again: {answer.reason}")
    told = data_of(answer, _Exchanged)
    return Session(told.user_id, settings.api_key, told.access_token, next_six_ns(now_ns))


def _generate(kite: Any, request_token: str, secret: str) -> None:
    kite.access_token = None
    kite.generate_session(request_token, secret)


def store(session: Session, file: Path) -> None:
    """Write it, whole or not at all, readable by its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(msgspec.json.encode(session))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def load(file: Path, api_key: str, now_ns: int) -> Session:
    """The session of that file. Raises ConfigError where there is none that counts now."""
    try:
        if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{file} can be read by others: take that away (chmod 600) and log in again")
        session = msgspec.json.decode(file.read_bytes(), type=Session)
    except FileNotFoundError:
        raise ConfigError(f"there is no {file}: run surefill kite login") from None
    except msgspec.MsgspecError:
        raise ConfigError(f"{file} holds no session: run surefill kite login") from None
    if session.api_key != api_key:
        raise ConfigError(f"{file} holds the session of another API key: run surefill kite login")
    if session.expires_ns <= now_ns:
        raise ConfigError(
            f"the session in {file} was over at {iso_from_ns(session.expires_ns)}: run surefill kite login",
            code="TOKEN_EXPIRED",
        )
    return session
