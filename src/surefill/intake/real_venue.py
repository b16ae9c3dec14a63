"""Where a workspace's orders go: decided here, for every door, from the workspace's mode and what the caller says.

=====================  ==========================  ==========================================
`workspace.mode`       orders go to                prices come from
=====================  ==========================  ==========================================
paper, backtest        the simulated market        whoever shows them
dry_run                the simulated market        the real venue; nothing is sent there
live                   the real venue              the real venue
=====================  ==========================  ==========================================

A dry run is what a real `workspace.venue` stands for where nobody says `mode: live`. Live takes that mode, keys, a
caller who says that the money is real, and somebody who can be called.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import msgspec

from surefill.config import Settings
from surefill.config.core import SIMULATED, check_place
from surefill.errors import ConfigError
from surefill.intake.door_settings import in_memory
from surefill.intake.venues import venue_of
from surefill.venues.protocol import LiveVenue, Venue

LIVE: Final = "live"


class RealVenue(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller says of the real venue.

    `market`: the adapter; None is the configured one, with its keys. `real_money`: orders may be real, where the mode
    is live. `without_alerts`: trade live though nobody can be called. `accept_changes`: a live workspace may go on
    under another configuration or build than it stopped with.
    """

    market: LiveVenue | None = None
    real_money: bool = False
    without_alerts: bool = False
    accept_changes: bool = False


#: What a door takes: nothing, for what the settings say; more about the real venue; or a venue itself.
VenueChoice = Venue | RealVenue | None


class Place(NamedTuple):
    """What `Session.open` takes: where orders go (None: as the mode says), the real venue, and consent to changes."""

    venue: Venue | None = None
    market: LiveVenue | None = None
    accept_changes: bool = False


def place_of(settings: Settings, said: VenueChoice = None) -> Place:
    """Where the workspace trades. In mode live somebody is called first.

    Raises ConfigError for what must not begin and where a key or a package is missing, RemoteError where nobody can be
    called.
    """
    check_place(settings)
    if settings.workspace.mode in SIMULATED:
        if isinstance(said, RealVenue):
            raise ConfigError(
                f"workspace {settings.workspace.id} is {settings.workspace.mode}, and meets no real venue: set"
                " workspace.venue, and mode dry_run or live",
                code="PAPER_ONLY",
                key="workspace.mode",
            )
        return Place(said)
    told = said if isinstance(said, RealVenue) else RealVenue(market=cast("LiveVenue | None", said))
    if told.market is not None and not hasattr(told.market, "access"):
        raise ConfigError(
            f"a {type(told.market).__name__} is no real venue's adapter", code="NO_REAL_VENUE", key="venue"
        )
    if settings.workspace.mode == LIVE:
        _may_begin(settings, told)
    return Place(None, told.market or venue_of(settings), told.accept_changes)


def _may_begin(settings: Settings, told: RealVenue) -> None:
    """What must be true before real orders may be sent."""
    if not told.real_money:
        raise ConfigError(
            f"mode live sends real orders to {settings.workspace.venue}: say --real-money as well (a Python door:"
            " venue=RealVenue(real_money=True)), or leave the mode out for a dry run",
            code="REAL_MONEY_NOT_SAID",
            key="workspace.mode",
        )
    if in_memory(settings):
        raise ConfigError("a live workspace outlives its process: name a file", key="journal.path")
    if settings.alerts.urls:
        from surefill.engine.channels import AppriseChannel

        name = settings.workspace.id
        AppriseChannel(settings.alerts.urls).deliver(
            f"surefill {name}: live trading begins", "This is how you are called."
        )
    elif not told.without_alerts:
        raise ConfigError(
            "nobody can be called: set alerts.urls (`surefill alerts test` tries them), or say --without-alerts (a"
            " Python door: RealVenue(without_alerts=True))",
            code="NOBODY_TO_CALL",
            key="alerts.urls",
        )
