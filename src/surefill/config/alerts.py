"""Who is called, and how."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from surefill.config.fields import Blank, Positive, Section


class AlertSettings(Section):
    """How somebody is called. Addresses hold keys: the environment (SUREFILL__ALERTS__URLS) is the place for them."""

    urls: list[str] = Field(
        default=[], description="Apprise addresses, such as mailto://… or tgram://…; all are called"
    )
    repeat_minutes: Positive = Field(
        default=Decimal(15), description="An alert that nobody acknowledges is called out again after so long"
    )
    heartbeat_url: Annotated[str | None, Blank] = Field(
        default=None, description="Called as long as all is well: the address of a dead man's switch elsewhere"
    )
    heartbeat_s: Positive = Field(default=Decimal(60), description="How often")
