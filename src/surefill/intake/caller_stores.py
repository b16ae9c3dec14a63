"""The caller's own stores are told what happened. They are never asked, and never the truth: the journal is.

A store is any object; the first of the methods below that it has is called. What it raises is logged and forgotten:
a store that is down must not stop the trading.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from surefill.views.csv_rows import Record, daily_record, orders_record
from surefill.views.order_lines import OrderLine
from surefill.views.positions import PositionRow

_STATE: Final = ("save_checkpoint", "save")
_POSITION: Final = ("update_position",)
_RECORD: Final = ("record_order", "record_trade", "record")
_APPEND_ALL: Final = ("append_orders",)
_APPEND: Final = ("append_order", "append")


class CallerStores:
    """Whom to tell. Any of them may be None."""

    def __init__(
        self,
        logger: logging.Logger,
        *,
        state_store: object = None,
        recorder: object = None,
        journal_store: object = None,
    ) -> None:
        self._log = logger
        self._save = _method(state_store, _STATE)
        self._update = _method(state_store, _POSITION)
        self._record = _method(recorder, _RECORD) or (recorder if callable(recorder) else None)
        self._append_all = _method(journal_store, _APPEND_ALL)
        self._append = _method(journal_store, _APPEND)
        self._warn("state_store", state_store, self._save or self._update)
        self._warn("trade_recorder", recorder, self._record)
        self._warn("journal_store", journal_store, self._append_all or self._append)

    def _warn(self, name: str, store: object, method: object) -> None:
        if store is not None and method is None:
            self._log.warning("%s (%s) has no method known here: it is told nothing", name, type(store).__name__)

    @property
    def wants_positions(self) -> bool:
        """Whether anybody listens for positions."""
        return self._save is not None or self._update is not None

    def tell_positions(self, positions: Mapping[str, PositionRow]) -> None:
        """The checkpoint whole, else position by position."""
        rows = {symbol: msgspec.to_builtins(row) for symbol, row in positions.items()}
        if self._save is not None:
            self._call(self._save, {"positions": rows})
        elif self._update is not None:
            for symbol, row in rows.items():
                self._call(self._update, symbol, row)

    def tell_orders(self, lines: Sequence[OrderLine], mode: str) -> None:
        """Every step of every order."""
        if self._record is not None:
            for line in lines:
                self._call_with_row(self._record, orders_record(line, mode))
        rows = [daily_record(line, mode) for line in lines]
        if self._append_all is not None and rows:
            self._call(self._append_all, rows)
        elif self._append is not None:
            for row in rows:
                self._call(self._append, row)

    def _call_with_row(self, method: Callable[..., Any], row: Record) -> None:
        """With keywords, as far as the method names them; with the row as a whole where it names none of them."""
        try:
            parameters = inspect.signature(method).parameters
        except (TypeError, ValueError):
            self._call(method, row)
            return
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            self._call(method, **row)
        elif named := {name: value for name, value in row.items() if name in parameters}:
            self._call(method, **named)
        else:
            self._call(method, row)

    def _call(self, method: Callable[..., Any], *args: object, **keywords: object) -> None:
        try:
            method(*args, **keywords)
        except Exception:  # it is the caller's own; what happened is in the journal
            self._log.exception("%s failed: what it missed is in the journal", getattr(method, "__qualname__", method))


def _method(store: object, names: Sequence[str]) -> Callable[..., Any] | None:
    for name in names:
        found: Callable[..., Any] | None = getattr(store, name, None)
        if callable(found):
            return found
    return None
