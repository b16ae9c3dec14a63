"""Anchors: the heads of all streams, exported at some time and kept where whoever can write the journal cannot."""

from __future__ import annotations

import msgspec

from surefill.errors import InputError
from surefill.journal.protocol import Journal


class AnchoredHead(msgspec.Struct, frozen=True):
    """Where a stream ended when the anchor was made; the hash in hexadecimal."""

    seq: int
    epoch: int
    chain_hash: str


class Anchor(msgspec.Struct, frozen=True, tag_field="format", tag="surefill-anchor-1"):
    """The heads of all streams at one moment. `ts_ns` is the maker's clock, 0 when not given."""

    heads: dict[str, AnchoredHead]
    ts_ns: int = 0

    def to_json(self) -> str:
        """The anchor as one line of text, to be kept elsewhere."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> Anchor:
        """Read an anchor back; raise `InputError` for anything else."""
        try:
            return msgspec.json.decode(text, type=Anchor)
        except msgspec.DecodeError as error:
            raise InputError(
                f"this is not an anchor of a surefill journal: {error}", code="ANCHOR_UNREADABLE"
            ) from error


def anchor(journal: Journal, ts_ns: int = 0) -> Anchor:
    """The journal's present heads, to be exported."""
    heads = {name: AnchoredHead(h.seq, h.epoch, h.chain_hash.hex()) for name, h in journal.heads().items()}
    return Anchor(heads, ts_ns)
