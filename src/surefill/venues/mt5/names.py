"""Whose an order is: our client order id by its ticket, or by what the server left of our comment."""

from __future__ import annotations

from surefill.venues.mt5.comments import SURE, cl_ord_id_of, comment_of


class Names:
    """Client order ids by ticket. `magic` marks what is ours."""

    def __init__(self, magic: int) -> None:
        self._magic = magic
        self._by_ticket: dict[int, str] = {}
        self._by_comment: dict[str, str] = {}

    def expect(self, cl_ord_id: str) -> None:
        """An order of that id is about to be sent, or looked for."""
        self._by_comment[comment_of(cl_ord_id)] = cl_ord_id

    def keep(self, ticket: int, cl_ord_id: str) -> None:
        """This ticket is that order."""
        self._by_ticket[ticket] = cl_ord_id

    def tickets_of(self, cl_ord_id: str) -> list[int]:
        """The tickets that are known to be that order."""
        return [ticket for ticket, name in self._by_ticket.items() if name == cl_ord_id]

    def of(self, ticket: int, magic: int, comment: str) -> str:
        """The client order id of an order, "" for an order that is not ours or that cannot be told."""
        if ticket in self._by_ticket:
            return self._by_ticket[ticket]
        if magic != self._magic:
            return ""
        name = cl_ord_id_of(comment)
        if not name and len(comment) >= SURE:
            name = next((known for ours, known in self._by_comment.items() if ours.startswith(comment[:15])), "")
        if name:
            self._by_ticket[ticket] = name
        return name
