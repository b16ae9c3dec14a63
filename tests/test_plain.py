"""What a value from outside stands for."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.intake.junk import JUNK, Colour, DerivedText, DerivedWord

from surefill.errors import InputError
from surefill.plain import SHOWN_MAX, label_text, plain_number, plain_text, readable, shown


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (np.str_("b"), "b"), (DerivedText("c"), "c"), (DerivedWord("d"), "d"), ("", "")]
)
def test_plain_text_of_any_text_is_pythons_own(value: str, text: str) -> None:
    plain = plain_text(value, "name")
    assert (plain, type(plain)) == (text, str)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("None", "NOT_TEXT"),
        ("five", "NOT_TEXT"),
        ("bytes", "NOT_TEXT"),
        ("enum", "NOT_TEXT"),
        ("mumbling", "NOT_TEXT"),
        ("surrogate", "NOT_UNICODE"),
        ("derived surrogate", "NOT_UNICODE"),
    ],
)
def test_plain_text_of_anything_else_is_refused_with_a_code(name: str, code: str) -> None:
    with pytest.raises(InputError, match=r"^name (must be text|is not valid Unicode)") as caught:
        plain_text(JUNK[name], "name")
    assert caught.value.code == code
    assert readable(caught.value.message) == caught.value.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a", "a"),
        (5, "5"),
        (0.9, "0.9"),
        (np.float32(0.1), "0.1"),
        (np.int64(7), "7"),
        (Decimal("1.50"), "1.50"),
        (Colour.RED, "RED"),
    ],
)
def test_label_text_of_what_names_something(value: Any, text: str) -> None:
    assert label_text(value, "label") == text


@pytest.mark.parametrize("value", [True, float("nan"), np.float64("nan"), Decimal("NaN"), b"x", [], object, 1j])
def test_label_text_of_what_names_nothing_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        label_text(value, "label")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.5, 1.5),
        (7, 7),
        (Decimal("0.1"), Decimal("0.1")),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.1),
        (np.int64(7), 7),
        (np.uint8(7), 7),
    ],
)
def test_plain_number_of_any_number_is_pythons_own(value: Any, number: Any) -> None:
    plain = plain_number(value, "n")
    assert plain == number
    assert type(plain) in (int, float, Decimal)


@pytest.mark.parametrize(
    "value",
    [None, "1", b"1", np.bool_(True), np.array([1.0]), Fraction(1, 3), 1j, pytest.param(object(), id="object")],
    ids=str,
)
def test_plain_number_of_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^n must be a number, not ") as caught:
        plain_number(value, "n")
    assert caught.value.code == "NOT_A_NUMBER"


@pytest.mark.parametrize("name", JUNK)
def test_shown_is_short_and_can_be_written_whatever_it_shows(name: str) -> None:
    text = shown(JUNK[name])
    assert 0 < len(text) <= SHOWN_MAX
    assert text.encode().decode() == text
