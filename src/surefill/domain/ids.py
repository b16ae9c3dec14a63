"""Ids that derive from what is already durable, so that none needs a clock or a random number."""

from __future__ import annotations

import enum
import hashlib

from surefill.units import stamp_from_ns

_LENGTH = 20
_HEX = frozenset("0123456789abcdef")


class IdStyle(enum.IntEnum):
    """How a door writes its public order ids."""

    STAMPED = 1  # PREFIX-<YYYYMMDDHHMMSS UTC>-<0001…>
    HEX = 2  # order_<16 hex>


_HEX_STYLE = IdStyle.HEX


def cl_ord_id(workspace_id: str, origin: str, leg: int) -> str:
    """The client order id: 20 hexadecimal characters (venues allow 20 to 36), a function of its origin alone.

    `origin` is the intent's correlation and key, or the position's exit number; it never repeats in a workspace.
    """
    return hashlib.sha256(f"{workspace_id}|{origin}|{leg}".encode()).hexdigest()[:_LENGTH]


def order_ref(style: int, prefix: str, workspace_id: str, ts_ns: int, number: int) -> str:
    """The id a door shows. `number` is the workspace's durable counter, so ids never repeat after a restart."""
    if style == _HEX_STYLE:
        return f"{prefix}_" + hashlib.sha256(f"{workspace_id}|{number}".encode()).hexdigest()[:16]
    return f"{prefix}-{stamp_from_ns(ts_ns)}-{number:04d}"


def of_our_form(client_id: str) -> bool:
    """Whether a client order id could be one of `cl_ord_id`'s, of this workspace or of another."""
    return len(client_id) == _LENGTH and _HEX.issuperset(client_id)
