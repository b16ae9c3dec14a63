"""The glossary's names are the names in the code, and the numbers that are said to be FIX's are."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

from surefill.domain.events import OrderFilled, WorkspaceOpened
from surefill.domain.market import Quote
from surefill.domain.orders import Order, OrderRequest
from surefill.domain.reports import VenueReport
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce

PAGE = (ROOT / "docs" / "glossary.md").read_text()


def test_page_fields_with_a_fix_tag_are_fields_of_the_messages() -> None:
    fields = {
        field
        for message in (OrderRequest, Order, VenueReport, Quote, OrderFilled, WorkspaceOpened)
        for field in (*message.__struct_fields__, *vars(message))
    }
    table = PAGE.partition("| order status |")[0]
    rows = re.findall(r"^\| (`[\w`, ]+`) \| [\d, –]+ \| [\w, –]+ \|", table, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert len(named) > 25
    assert [name for name in named if name not in fields] == []


def test_page_lists_every_order_status() -> None:
    assert re.findall(r"^\| `([A-Z_]+)` \| [0-9A-C–] \|", PAGE, re.MULTILINE) == [status.name for status in OrdStatus]


def test_page_gives_order_types_and_times_in_force_their_numbers() -> None:
    for kind in (OrdType, TimeInForce):
        assert ", ".join(f"`{member.name}` {member.value}" for member in kind) in PAGE
