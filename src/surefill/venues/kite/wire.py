"""The client library on one worker thread, and what became of each of its requests.

1. Requests are made one at a time, in the order asked for, each once: no retries, no redirects followed, nothing taken
   from the environment (proxies, netrc).
2. The library's exceptions have lost what the answer was; the answer is caught before it sees it.
3. A connection that was never made proves that nothing was sent, and so does a deadline that passed in the queue. From
   the first byte on, whatever is no readable answer proves nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from surefill.errors import VenueOutcomeUnknown
from surefill.secret import Secret
from surefill.units import NS_PER_S, ns_from_datetime
from surefill.venues.kite.codes import refusal
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.protocol import Rejected, Unknown

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """An answer that says success: its body as it came, and the venue's clock at that moment (0: not told)."""

    raw: str
    date_ns: int = 0


class _Body(msgspec.Struct):
    status: str = ""
    error_type: str | None = None
    message: str | None = None


class Wire:
    """`call` does something with the client library, on its thread."""

    def __init__(self, settings: KiteSettings, now_ns: Callable[[], int] = time.time_ns) -> None:
        from kiteconnect import KiteConnect

        self._now_ns = now_ns
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kite")
        self._kite: Any = KiteConnect(
            settings.api_key, settings.access_token.reveal(), root=settings.root, timeout=settings.timeout_s
        )
        session = self._kite.reqsession
        session.trust_env = False
        session.max_redirects = 0
        session.hooks["response"].append(self._answered)
        self._response: Any = None

    def renew(self, access_token: Secret) -> None:
        """Use a new day's token from the next request on."""
        self._kite.set_access_token(access_token.reveal())

    async def call(self, do: Callable[[Any], object], send_by_ns: int = 0) -> Answer | Rejected | Unknown:
        """Make one request. A caller that goes away before its turn takes its request back."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._made, do, send_by_ns)

    async def look(self, do: Callable[[Any], object], kind: type[T]) -> T:
        """What a question is answered with, its `data` as `kind`. Raises VenueOutcomeUnknown where it is not."""
        return data_of(await self.answered(do), kind)

    async def answered(self, do: Callable[[Any], object]) -> Answer:
        """The answer to a question. Raises VenueOutcomeUnknown where there is none."""
        answer = await self.call(do)
        if isinstance(answer, Rejected):
            raise VenueOutcomeUnknown(f"not told: {answer.code} {answer.text}")
        if isinstance(answer, Unknown):
            raise VenueOutcomeUnknown(answer.reason)
        return answer

    async def close(self) -> None:
        """Let the request that is on the wire end, and hang up; those that wait are dropped."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._worker.shutdown)
        self._kite.reqsession.close()

    # -- on the worker's thread -------------------------------------------------------------------------------

    def _answered(self, response: Any, *_args: object, **_kwargs: object) -> None:
        self._response = response

    def _made(self, do: Callable[[Any], object], send_by_ns: int) -> Answer | Rejected | Unknown:
        if send_by_ns and self._now_ns() > send_by_ns:
            return Rejected("NOT_SENT", "its turn came later than the order could wait", undelivered=True)
        self._response = None
        try:
            do(self._kite)
        except Exception as error:  # the library raises whatever it comes upon; the answer itself is looked at
            if self._response is None:
                return _unanswered(error)
        if self._response is None:
            return Unknown("the client library made no request")
        return _told(self._response)


def data_of(answer: Answer, kind: type[T]) -> T:
    """The `data` of an answer. Raises VenueOutcomeUnknown where it is not what it should be."""
    try:
        found: T = _decoder(cast(Hashable, kind)).decode(answer.raw).data
    except msgspec.MsgspecError as error:
        raise VenueOutcomeUnknown(f"an answer that cannot be read: {error}") from error
    return found


@lru_cache(maxsize=64)
def _decoder(kind: Hashable) -> Any:
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", [("data", kind)]))


def _told(response: Any) -> Answer | Rejected | Unknown:
    from requests import exceptions

    try:
        raw, status = response.content.decode("utf-8", "replace"), response.status_code
    except exceptions.RequestException as error:
        return Unknown(f"an answer that broke off: {type(error).__name__}")
    if "csv" in response.headers.get("content-type", "") and status == 200:
        return Answer(raw)
    try:
        body = msgspec.json.decode(raw, type=_Body)
    except msgspec.MsgspecError:
        return refusal(status, "", "an answer that cannot be read", raw)
    if status == 200 and body.status == "success" and not body.error_type:
        return Answer(raw, _date_ns(response.headers.get("date", "")))
    return refusal(status, body.error_type or "", body.message or "", raw, _retry_after_ns(response))


def _unanswered(error: Exception) -> Rejected | Unknown:
    from requests import exceptions

    if isinstance(error, exceptions.ConnectTimeout) or _never_connected(error):
        return Rejected("NOT_SENT", f"no connection: {type(error).__name__}", undelivered=True)
    return Unknown(f"no answer: {type(error).__name__}")


def _never_connected(error: Exception) -> bool:
    from requests import exceptions
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    reason = error.args[0] if isinstance(error, exceptions.ConnectionError) and error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _retry_after_ns(response: Any) -> int:
    text = response.headers.get("retry-after", "")
    return int(text) * NS_PER_S if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _date_ns(text: str) -> int:
    try:
        return ns_from_datetime(parsedate_to_datetime(text)) if text else 0
    except ValueError:
        return 0
