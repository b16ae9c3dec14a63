"""What a field may hold when nobody looks: values of every wrong kind, and of kinds that only look right."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from surefill.engine.claims import ClaimsReader
from surefill.journal import SqliteJournal, verify


class DerivedText(str):
    """Text of a class of its own."""


class DerivedWord(str):
    """Text that lies when it is asked for its text."""

    def __str__(self) -> str:
        return DerivedText("liar")


class Hostile:
    """Raises whatever it is asked; nothing that is caught by its class."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"hostile {name}")

    def __str__(self) -> str:
        raise RuntimeError("hostile text")

    def __bool__(self) -> bool:
        raise RuntimeError("hostile truth")

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("hostile items")

    def __index__(self) -> int:
        raise RuntimeError("hostile number")

    def __eq__(self, _other: object) -> bool:
        raise RuntimeError("hostile comparison")

    __hash__ = None  # type: ignore[assignment]
    __repr__ = __str__
    __float__ = __index__


class Mumbling:
    """Shows itself as half a character."""

    def __repr__(self) -> str:
        return "\udc80"


class Colour(enum.Enum):
    """An enumeration that is no text."""

    RED = 1


JUNK: dict[str, Any] = {
    "None": None,
    "True": True,
    "zero": 0,
    "five": 5,
    "minus": -1,
    "huge": 10**400,
    "unwritable": 10**5_000,
    "float": 1.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "decimal": Decimal("NaN"),
    "signalling": Decimal("sNaN"),
    "empty": "",
    "blank": " ",
    "text": "junk",
    "long": "x" * 5_000,
    "lines": "a\nb\0c",
    "surrogate": "\ud800",
    "derived": DerivedText("derived"),
    "derived surrogate": DerivedText("\udfff"),
    "liar": DerivedWord("word"),
    "numpy text": np.str_("np"),
    "numpy int": np.int64(3),
    "numpy float": np.float32(0.1),
    "numpy nan": np.float64("nan"),
    "numpy truth": np.bool_(True),
    "numpy array": np.array([1.0, 2.0]),
    "numpy time": np.datetime64("NaT"),
    "bytes": b"bytes",
    "list": [],
    "numbers": [1, 2],
    "pairs": [(None, "x")],
    "dict": {"a": 1},
    "set": {1},
    "function": lambda: None,
    "class": str,
    "enum": Colour.RED,
    "object": object(),
    "mumbling": Mumbling(),
    "hostile": Hostile(),
}


def check_journal(path: Path) -> None:
    """Every event can be read again, and the chain and the keys are whole."""
    journal = SqliteJournal(path, readonly=True)
    try:
        verdict = verify(journal, claims_of=ClaimsReader())
        assert verdict.ok, verdict
    finally:
        journal.close()
