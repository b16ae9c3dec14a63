"""Our client order id in the comment of an order: the only place where MT5 keeps a text of ours.

1. A comment has 31 characters at most, and servers are known to cut it to 16. An id of 20 hexadecimal characters
   becomes "s" and 14 characters (base64 of its ten bytes, URL alphabet): 15, and it can be read back.
2. Any other id becomes "h" and 14 characters of its SHA-256: it cannot be read back, only compared.
3. A cut comment still tells an order from others while `SURE` characters are left (48 bits). A shorter one, or none,
   tells nothing: then an order with the same terms may be ours or not, and nobody may guess.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import re

SURE = 9
_HEX_20 = re.compile(r"[0-9a-f]{20}")


class Likeness(enum.Enum):
    """Whether a comment is that of an id."""

    YES = 1
    PERHAPS = 2
    NO = 3


def comment_of(cl_ord_id: str) -> str:
    """The comment of an order of that id: 15 characters."""
    if _HEX_20.fullmatch(cl_ord_id):
        return "s" + _text(bytes.fromhex(cl_ord_id))
    return "h" + _text(hashlib.sha256(cl_ord_id.encode()).digest()[:10])


def cl_ord_id_of(comment: str) -> str:
    """The id in a comment, "" where there is none that can be read back."""
    if len(comment) < 15 or comment[0] != "s":
        return ""
    try:
        return base64.urlsafe_b64decode(comment[1:15] + "==").hex()
    except (binascii.Error, ValueError):
        return ""


def likeness(comment: str, cl_ord_id: str) -> Likeness:
    """Whether this comment is what became of ours. Something appended changes nothing."""
    ours = comment_of(cl_ord_id)
    if comment.startswith(ours) or (len(comment) >= SURE and ours.startswith(comment)):
        return Likeness.YES
    return Likeness.PERHAPS if ours.startswith(comment) else Likeness.NO


def _text(ten_bytes: bytes) -> str:
    return base64.urlsafe_b64encode(ten_bytes).decode().rstrip("=")
