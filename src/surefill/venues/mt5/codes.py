"""Return codes of the trade server, and what each of them proves.

Source: the MQL5 reference, "Trade server return codes"; the judgement is `SAFETY`'s: what is not known to have done
nothing is UNKNOWN. `None` instead of a result, and every code that is not listed, proves nothing either.
"""

from __future__ import annotations

import enum


class Verdict(enum.Enum):
    """What a return code proves."""

    DONE = "it took effect: with a deal it traded, with deal 0 a pending order stands or was changed"
    PARTIAL = "it traded in part"
    PLACED = "the order was taken; what became of it is in the history"
    REFUSED = "nothing took effect"
    UNKNOWN = "no proof either way"


#: code: (name, verdict)
CODES: dict[int, tuple[str, Verdict]] = {
    10004: ("REQUOTE", Verdict.REFUSED),
    10006: ("REJECT", Verdict.REFUSED),
    10007: ("CANCEL", Verdict.UNKNOWN),  # canceled by the trader: at which stage is not said
    10008: ("PLACED", Verdict.PLACED),
    10009: ("DONE", Verdict.DONE),
    10010: ("DONE_PARTIAL", Verdict.PARTIAL),
    10011: ("ERROR", Verdict.UNKNOWN),
    10012: ("TIMEOUT", Verdict.UNKNOWN),
    10013: ("INVALID", Verdict.REFUSED),
    10014: ("INVALID_VOLUME", Verdict.REFUSED),
    10015: ("INVALID_PRICE", Verdict.REFUSED),
    10016: ("INVALID_STOPS", Verdict.REFUSED),
    10017: ("TRADE_DISABLED", Verdict.REFUSED),
    10018: ("MARKET_CLOSED", Verdict.REFUSED),
    10019: ("NO_MONEY", Verdict.REFUSED),
    10020: ("PRICE_CHANGED", Verdict.REFUSED),
    10021: ("PRICE_OFF", Verdict.REFUSED),
    10022: ("INVALID_EXPIRATION", Verdict.REFUSED),
    10023: ("ORDER_CHANGED", Verdict.UNKNOWN),  # it moved under our hands: the history says where to
    10024: ("TOO_MANY_REQUESTS", Verdict.REFUSED),
    10025: ("NO_CHANGES", Verdict.REFUSED),
    10026: ("SERVER_DISABLES_AT", Verdict.REFUSED),
    10027: ("CLIENT_DISABLES_AT", Verdict.REFUSED),
    10028: ("LOCKED", Verdict.UNKNOWN),  # a request is being worked on: perhaps this one
    10029: ("FROZEN", Verdict.REFUSED),
    10030: ("INVALID_FILL", Verdict.REFUSED),
    10031: ("CONNECTION", Verdict.UNKNOWN),
    10032: ("ONLY_REAL", Verdict.REFUSED),
    10033: ("LIMIT_ORDERS", Verdict.REFUSED),
    10034: ("LIMIT_VOLUME", Verdict.REFUSED),
    10035: ("INVALID_ORDER", Verdict.REFUSED),
    10036: ("POSITION_CLOSED", Verdict.REFUSED),
    10038: ("INVALID_CLOSE_VOLUME", Verdict.REFUSED),
    10039: ("CLOSE_ORDER_EXIST", Verdict.REFUSED),
    10040: ("LIMIT_POSITIONS", Verdict.REFUSED),
    10041: ("REJECT_CANCEL", Verdict.UNKNOWN),  # the request is rejected and the order canceled: the history says
    10042: ("LONG_ONLY", Verdict.REFUSED),
    10043: ("SHORT_ONLY", Verdict.REFUSED),
    10044: ("CLOSE_ONLY", Verdict.REFUSED),
    10045: ("FIFO_CLOSE", Verdict.REFUSED),
    10046: ("HEDGE_PROHIBITED", Verdict.REFUSED),
}
#: Turned away unread: the same request may be made again after a pause.
UNDELIVERED = frozenset({10024})
RETRY_AFTER_NS = 1_000_000_000


def verdict_of(retcode: int) -> Verdict:
    """What a code proves; nothing, where it is not known."""
    return CODES.get(retcode, ("", Verdict.UNKNOWN))[1]


def name_of(retcode: int) -> str:
    """A code with its name, for people and for the journal."""
    name = CODES.get(retcode, ("", Verdict.UNKNOWN))[0]
    return f"{retcode} {name}".rstrip()
