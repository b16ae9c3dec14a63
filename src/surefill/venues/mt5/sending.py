"""Requests that trade: each sent once, right after a look at what it needs, and judged by its return code.

What fails before the request is proof (`Rejected`, or `NotAsked`); what fails from there on is `Unknown`, unless the
return code proves more (`codes`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.mt5 import requests
from surefill.venues.mt5.account import Account
from surefill.venues.mt5.codes import RETRY_AFTER_NS, UNDELIVERED, Verdict, name_of, verdict_of
from surefill.venues.mt5.records import SendRecord, raw, read
from surefill.venues.mt5.requests import Withheld
from surefill.venues.mt5.stories import Stories
from surefill.venues.mt5.symbols import Scale
from surefill.venues.mt5.terminal import NotAsked, Reply
from surefill.venues.protocol import Accepted, Outcome, Rejected, Unknown

T = TypeVar("T")
Asked = tuple[int, Scale]

_log = logger("surefill.venues.mt5")


class Sender:
    """Sends through one terminal; all of it runs in the worker."""

    def __init__(self, account: Account, stories: Stories) -> None:
        self._account, self._stories = account, stories

    def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""
        made = _before(lambda: self._made(request))
        if isinstance(made, Withheld):
            return Rejected(made.code, made.text)
        if request.send_by_ns and self._account.now_ns() > request.send_by_ns:
            raise NotAsked("the order waited for the terminal past its time")
        reply = self._account.terminal.call("order_send", made)
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is Verdict.UNKNOWN or not sent.order:
            return Unknown(_words(sent, reply), raw(reply))
        self._account.names.keep(sent.order, request.cl_ord_id)
        self._stories.watched[sent.order] = request.cl_ord_id
        new = VenueReport(
            request.cl_ord_id,
            ExecType.NEW,
            str(sent.order),
            code=name_of(sent.retcode),
            text=sent.comment,
            raw=raw(reply),
        )
        return Accepted((new, *self._already(request, sent.order)))

    def _already(self, request: OrderRequest, ticket: int) -> tuple[VenueReport, ...]:
        """What the history tells at once. Failing to look changes nothing: the stream will tell."""
        try:
            found = self._account.looks.by_ticket(ticket)
            scale = self._account.scale(request.instrument_id)
            return self._stories.told(found, scale, request.cl_ord_id)[1:] if found else ()
        except (VenueOutcomeUnknown, InputError) as error:
            _log.info("mt5.look_after_send_failed", order=ticket, error=str(error))
            return ()

    def _made(self, request: OrderRequest) -> requests.TradeRequest | Withheld:
        account, settings = self._account, self._account.settings
        scale = self._known(request)
        if isinstance(scale, Withheld):
            return scale
        if request.ord_type != OrdType.MARKET:
            return requests.pending(request, scale, settings, hedging=account.hedging)
        position = 0
        if account.hedging and (request.reduce_only or request.bucket):
            position = account.looks.to_close(request, scale)
        return requests.deal(request, scale, account.tick(request.instrument_id), settings, position)

    def _known(self, request: OrderRequest) -> Scale | Withheld:
        """The symbol's scale. Where the terminal says that there is no such symbol, no request can help."""
        try:
            return self._account.scale(request.instrument_id)
        except InputError as error:
            return Withheld(error.code, error.message)

    def remove(self, request: OrderRequest, order_id: str) -> Outcome:
        """Take a pending order back."""
        asked = _before(lambda: self._asked(request, order_id))
        if isinstance(asked, Withheld):
            return Rejected(asked.code, asked.text)
        ticket, scale = asked
        reply = self._account.terminal.call("order_send", requests.removal(scale.symbol.name, ticket))
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is not Verdict.DONE:
            return Unknown(_words(sent, reply), raw(reply))
        found = self._account.looks.by_ticket(ticket)
        if found is None or found.working:
            return Unknown(f"{_words(sent, reply)}, but the history does not show the end of order {ticket} yet")
        return Accepted(self._stories.told(found, scale, request.cl_ord_id)[1:])

    def modify(self, request: OrderRequest, order_id: str) -> Outcome:
        """New prices for a pending order."""
        asked = _before(lambda: self._asked(request, order_id))
        if isinstance(asked, Withheld):
            return Rejected(asked.code, asked.text)
        ticket, scale = asked
        standing = _before(lambda: self._account.looks.by_ticket(ticket))
        if standing is None or standing.order is None or not standing.working:
            return Rejected("NOT_WORKING", f"order {ticket} does not work any more")
        if scale.qty(standing.order.volume_initial) != request.order_qty:
            return Rejected("VOLUME_FIXED", "MT5 cannot change the volume of an order: cancel it and send another")
        day = 1 if request.time_in_force == TimeInForce.DAY else 0
        reply = self._account.terminal.call("order_send", requests.changed(request, scale, ticket, day))
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is not Verdict.DONE:
            return Unknown(_words(sent, reply), raw(reply))
        found = self._account.looks.by_ticket(ticket)
        if found is None:
            return Unknown(f"{_words(sent, reply)}, but order {ticket} is in no list")
        return Accepted(self._stories.told(found, scale, request.cl_ord_id)[1:])

    def _asked(self, request: OrderRequest, order_id: str) -> Asked | Withheld:
        """The ticket that is meant, and its symbol's scale."""
        scale = self._known(request)
        if isinstance(scale, Withheld):
            return scale
        if order_id:
            return int(order_id), scale
        found = self._stories.found(request)
        if len(found) != 1:
            raise VenueOutcomeUnknown(f"{len(found)} orders are found for {request.cl_ord_id}")
        return found[0].ticket, scale


def _before(job: Callable[[], T]) -> T:
    """A step before the request: its failure proves that nothing was sent."""
    try:
        return job()
    except (VenueOutcomeUnknown, InputError) as error:
        raise NotAsked(f"not sent: {error}") from error


def _judged(reply: Reply) -> tuple[Verdict, SendRecord]:
    if reply.result is None:
        return Verdict.UNKNOWN, SendRecord(0)
    sent = read(SendRecord, reply.result)
    return verdict_of(sent.retcode), sent


def _refusal(sent: SendRecord, reply: Reply) -> Rejected:
    unread = sent.retcode in UNDELIVERED
    return Rejected(
        name_of(sent.retcode),
        sent.comment,
        raw(reply),
        undelivered=unread,
        retry_after_ns=RETRY_AFTER_NS if unread else 0,
    )


def _words(sent: SendRecord, reply: Reply) -> str:
    if reply.result is None:
        return f"order_send returned nothing: {reply.code} {reply.text}"
    return f"{name_of(sent.retcode)}: {sent.comment}"
