"""Derived ids: what `uuid.uuid5` gives, text and bytes."""

import uuid

import pytest

from surefill.strategy.derived_ids import derived_id
from surefill.strategy.spec import SPEC_NS


@pytest.mark.parametrize("name", ["", "w|i|AAPL|1d|0", "0|OPEN_LONG", "Überschuß €", "x" * 1_000])
@pytest.mark.parametrize("namespace", [SPEC_NS, uuid.NAMESPACE_DNS, uuid.UUID(int=2**128 - 1)], ids=str)
def test_derived_id_of_a_name_is_its_uuid5(namespace: uuid.UUID, name: str) -> None:
    expected = uuid.uuid5(namespace, name)
    assert derived_id(namespace.bytes, name) == (expected.bytes, str(expected))
