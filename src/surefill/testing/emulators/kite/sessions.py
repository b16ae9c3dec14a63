"""Logging in: a request token from the login page, an access token for it, and its end at six in the morning."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from surefill.testing.emulators.kite.account import Account
from surefill.testing.emulators.kite.clock import Clock, next_six_ns, stamp
from surefill.testing.emulators.kite.errors import bad_input, bad_token, not_permitted
from surefill.testing.emulators.kite.instruments import LISTING
from surefill.testing.emulators.kite.store import Store

PRODUCTS: Final = ["CNC", "NRML", "MIS", "BO", "CO"]
ORDER_TYPES: Final = ["MARKET", "LIMIT", "SL", "SL-M"]
#: A request token is good for minutes only (Kite's user pages).
REQUEST_TOKEN_NS: Final = 5 * 60 * 10**9


class Sessions:
    """One user's sessions; the newest access token is the only one that counts."""

    def __init__(self, account: Account, store: Store, clock: Clock) -> None:
        self.account = account
        self._store = store
        self._clock = clock
        self._requested: dict[str, int] = {}
        self.permitted = True

    def login(self, api_key: str, redirect_url: str) -> str:
        """GET /connect/login: where the browser is sent, with a new request token. Raises KiteError."""
        if api_key != self.account.api_key:
            raise bad_input("Invalid `api_key`.")
        token = secrets.token_hex(16)
        self._requested[token] = self._clock.now_ns() + REQUEST_TOKEN_NS
        parts = urlsplit(redirect_url)
        query = [*parse_qsl(parts.query), ("action", "login"), ("status", "success"), ("request_token", token)]
        return urlunsplit(parts._replace(query=urlencode(query)))

    def exchange(self, form: Mapping[str, str]) -> dict[str, object]:
        """POST /session/token. Raises KiteError."""
        account, now_ns = self.account, self._clock.now_ns()
        request_token = form.get("request_token") or ""
        said = f"{form.get('api_key')}{request_token}{account.api_secret}"
        checksum = hashlib.sha256(said.encode()).hexdigest()
        if not hmac.compare_digest(checksum, form.get("checksum") or ""):
            raise bad_token("Invalid `checksum`.")
        if form.get("api_key") != account.api_key or self._requested.pop(request_token, 0) < now_ns:
            raise bad_token("Token is invalid or has expired.")
        return {**self.user(), **self.grant()}

    def grant(self) -> dict[str, object]:
        """A new session without the login page."""
        now_ns = self._clock.now_ns()
        token = secrets.token_hex(16)
        self._store.state.put("session", {"access_token": token, "until_ns": next_six_ns(now_ns)})
        return {
            "user_id": self.account.user_id,
            "api_key": self.account.api_key,
            "access_token": token,
            "public_token": secrets.token_hex(16),
            "enctoken": secrets.token_hex(16),
            "refresh_token": "",  # nosec B105: there is none
            "silo": "",
            "login_time": stamp(now_ns),
        }

    def end(self) -> None:
        """Every access token is void."""
        self._store.state.remove("session")

    def check(self, api_key: str, access_token: str) -> None:
        """Whether a session counts. Raises KiteError."""
        session = self._store.state.get("session") or {}
        known = str(session.get("access_token", ""))
        right = api_key == self.account.api_key and bool(known) and hmac.compare_digest(known, access_token)
        if not right or self._clock.now_ns() >= int(str(session["until_ns"])):
            raise bad_token()
        if not self.permitted:
            raise not_permitted()

    def check_header(self, header: str) -> None:
        """`Authorization: token api_key:access_token`. Raises KiteError."""
        scheme, _, rest = header.partition(" ")
        api_key, _, access_token = rest.partition(":")
        if scheme != "token":
            raise bad_token()
        self.check(api_key, access_token)

    def user(self) -> dict[str, object]:
        """GET /user/profile."""
        return {
            "user_id": self.account.user_id,
            "user_type": "individual",
            "email": "",
            "user_name": self.account.user_name,
            "user_shortname": self.account.user_name.split()[0],
            "broker": "ZERODHA",
            "exchanges": sorted({each.exchange for each in LISTING}),
            "products": PRODUCTS,
            "order_types": ORDER_TYPES,
            "avatar_url": None,
            "meta": {"demat_consent": "physical"},
        }
