from __future__ import annotations

import pytest

import surefill.strategy


@pytest.mark.parametrize("name", surefill.strategy.__all__)
def test_every_exported_name_can_be_had(name: str) -> None:
    assert getattr(surefill.strategy, name).__module__.startswith("surefill.strategy.")


def test_exported_names_are_all_that_are_loaded_on_demand() -> None:
    assert sorted(surefill.strategy._HOME) == sorted(surefill.strategy.__all__)


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = surefill.strategy.Nothing
