"""The one account of an emulated Kite, and the credentials that it accepts."""

from __future__ import annotations

import msgspec

USER_ID = "AB1234"
API_KEY = "emulated_key"
API_SECRET = "emulated_secret"  # nosec B105: of an emulated venue


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who may log in."""

    api_key: str = API_KEY
    api_secret: str = API_SECRET
    user_id: str = USER_ID
    user_name: str = "Emulated Trader"
    app_id: int = 1234

    def __repr__(self) -> str:
        return f"Account(user_id={self.user_id!r})"
