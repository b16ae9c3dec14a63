"""What settings are made of: types of values, and sections that are closed against unknown keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from surefill.units import DECIMALS_MAX


def _none_if_blank(value: object) -> object:
    """Empty text and the word null are how the environment says None."""
    return None if isinstance(value, str) and value.strip().lower() in ("", "null", "none", "~") else value


Blank = BeforeValidator(_none_if_blank)
Count = Annotated[int, Field(ge=0)]
Decimals = Annotated[int, Field(ge=0, le=DECIMALS_MAX)]
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Bps = Annotated[Decimal, Field(ge=0, lt=10_000, allow_inf_nan=False)]  # 10000 would be the whole price
Fraction = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False)]


def _leaves(annotation: Any) -> set[Any]:
    """The plain types that an annotation allows."""
    inner = get_args(annotation)
    return {leaf for arg in inner for leaf in _leaves(arg)} if inner else {annotation}


class Section(BaseModel):
    """A part of the tree: closed against unknown keys, and unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _sound(cls, data: Any) -> Any:
        """A section left empty has its defaults; yes and no are not numbers, whatever Python says."""
        if data is None:
            return {}
        if isinstance(data, dict):
            for key, value in data.items():
                field = cls.model_fields.get(key)
                if isinstance(value, bool) and field is not None and bool not in _leaves(field.annotation):
                    raise ValueError(f"{key} is {value}: a number or text is wanted there, put text in quotes")
        return data
