from __future__ import annotations

from typing import Any

import pytest
from tests.venues.kite.lines import STAMP_NS, TAG, ours, row
from tests.venues.kite.rig import request_for

from surefill.domain.ids import cl_ord_id
from surefill.errors import VenueOutcomeUnknown
from surefill.units import NS_PER_MIN
from surefill.venues.kite.rows import OrderRow
from surefill.venues.kite.tags import Ours, Registry, tag_of

LONG = "an-id-of-more-than-twenty-characters"


@pytest.mark.parametrize(
    ("own", "tag"),
    [(TAG, TAG), ("a", "a"), ("A" * 20, "A" * 20), ("A" * 21, None), (LONG, None), ("a-b", None), ("", None)],
)
def test_tag_is_the_id_where_it_fits_and_else_its_hash(own: str, tag: str | None) -> None:
    found = tag_of(own)
    assert found.isalnum()
    assert len(found) <= 20
    assert found == (tag or found)
    assert (found == own) == (tag is not None)


def test_tag_of_an_id_of_the_engines_is_that_id() -> None:
    own = cl_ord_id("w", "c|i", 0)
    assert tag_of(own) == own


def test_registry_refuses_another_order_with_the_same_tag() -> None:
    registry = Registry()
    assert registry.take(Ours(request_for(LONG), "MIS"))
    assert registry.take(Ours(request_for(LONG), "MIS"))
    assert registry.take(Ours(request_for(tag_of(LONG)), "MIS")) is None


DIFFERENT: tuple[dict[str, Any], ...] = (
    {"tradingsymbol": "SBIN"},
    {"exchange": "BSE"},
    {"transaction_type": "SELL"},
    {"product": "CNC"},
    {"quantity": 11},
    {"order_timestamp": "2026-11-26 10:00:00"},
)


@pytest.mark.parametrize("changes", DIFFERENT, ids=str)
def test_order_with_our_tag_and_other_terms_is_not_guessed_at(changes: dict[str, Any]) -> None:
    foreign = row(**changes)
    with pytest.raises(VenueOutcomeUnknown, match="other terms"):
        ours().among([foreign])
    registry = Registry()
    registry.take(ours())
    assert registry.owners([foreign]) == {}
    assert registry.shown_id(foreign) == ""
    assert list(registry.owners([row("1"), row("2", tag=None)])) == ["1"]


def test_order_with_our_terms_and_no_tag_is_not_ours() -> None:
    assert ours().among([row(tag=None), row(tag="another")]) == ()


def test_order_is_found_by_its_second_tag_and_with_a_clock_that_lags() -> None:
    assert ours().among([row(tag=None, tags=["other", TAG])])
    assert ours(transact_ns=STAMP_NS + NS_PER_MIN).among([row()])


def test_changed_order_may_have_another_quantity() -> None:
    assert ours().among([row(quantity=5, modified=True)])


def test_two_orders_with_our_tag_and_terms_are_not_guessed_at() -> None:
    with pytest.raises(VenueOutcomeUnknown, match="more than one order"):
        ours().among([row("1"), row("2")])
    registry = Registry()
    registry.take(ours())
    assert registry.owners([row("1"), row("2")]) == {}
    assert registry.shown_id(row("1", tag="another")) == "another"


def test_order_whose_id_the_venue_gave_is_known_whoever_copies_its_tag() -> None:
    own = ours(order_ids=("1",), told_all=True)
    assert [each.order_id for each in own.among([row("1"), row("2")])] == ["1"]


SLICES: tuple[tuple[list[OrderRow], bool], ...] = (
    ([row("1", quantity=4), row("2", quantity=4), row("3", quantity=2)], True),
    ([row("1", quantity=4), row("2", quantity=4)], True),
    ([row("1", quantity=4), row("2", quantity=4), row("3", quantity=4)], False),
    ([row("1", quantity=5)], False),
)


@pytest.mark.parametrize(("rows", "are_ours"), SLICES)
def test_slices_are_one_order_as_long_as_they_are_no_more_than_asked_for(rows: list[OrderRow], are_ours: bool) -> None:
    own = ours(pieces_max_qty=4)
    if are_ours:
        assert list(own.among(rows)) == rows
    else:
        with pytest.raises(VenueOutcomeUnknown):
            own.among(rows)
