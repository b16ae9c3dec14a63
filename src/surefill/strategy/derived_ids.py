"""Ids that follow from a namespace and a name (RFC 9562, version 5): what `uuid.uuid5` gives, without its objects."""

from __future__ import annotations

from hashlib import sha1


def derived_id(namespace: bytes, name: str) -> tuple[bytes, str]:
    """The id as its 16 bytes, a namespace in its turn, and as text."""
    bits = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    bits[6] = bits[6] & 0x0F | 0x50
    bits[8] = bits[8] & 0x3F | 0x80
    text = bits.hex()
    return bytes(bits), f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
