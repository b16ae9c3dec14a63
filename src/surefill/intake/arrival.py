"""Before a workspace begins at a real venue: what the keys may do, what is traded there, what the account holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from surefill.config import Settings
from surefill.domain.inputs import OpenWorkspace
from surefill.domain.instrument import Instrument
from surefill.errors import ConfigError
from surefill.logs import logger
from surefill.rules.codes import TimeInForce
from surefill.units import MONEY_MAX, NS_PER_MS, NS_PER_S, to_quanta
from surefill.venues.protocol import Access, Capabilities, LiveVenue

CLOCK_DOUBTED_NS: Final = NS_PER_S
#: How long after a venue could last have taken a request its absence counts: ten seconds for looks that lag, and five.
ABSENCE_MARGIN_NS: Final = 15 * NS_PER_S

_log = logger("surefill.arrival")


class Arrival(NamedTuple):
    """`cash`: what the account has of the workspace's currency, in money quanta. `listed`: the venue's instruments."""

    access: Access
    cash: int
    listed: dict[str, Instrument]


async def arrive(venue: LiveVenue, settings: Settings, currency: str, money_decimals: int) -> Arrival:
    """Ask the venue. Raises ConfigError where the keys may too much or too little, VenueOutcomeUnknown where it is
    silent.
    """
    access = await venue.access()
    check_access(access, settings.workspace.venue)
    listed = {each.instrument_id: each for each in await venue.instruments()}
    total = sum((each.total for each in await venue.balances() if each.asset == currency), Decimal(0))
    # What is finer than our money is left out: it is the start of a count, not a fill.
    quantum = Decimal(1).scaleb(-money_decimals)
    cash = to_quanta(max(total // quantum * quantum, Decimal(0)), money_decimals, field="balance", max_quanta=MONEY_MAX)
    return Arrival(access, cash, listed)


def fitted(opening: OpenWorkspace, capabilities: Capabilities) -> OpenWorkspace:
    """The opening with what only the venue knows of its rules.

    Where it has a receive window, an order that is not found after that has never arrived; elsewhere absence proves
    nothing. Where it takes no order until canceled, stops are for the day.
    """
    limits = opening.profile.limits
    if capabilities.receive_window_ns and not limits.absence_horizon_ns:
        horizon_ns = capabilities.receive_window_ns + ABSENCE_MARGIN_NS
        limits = msgspec.structs.replace(limits, absence_horizon_ns=horizon_ns)
    if limits.stop_time_in_force not in capabilities.time_in_force:
        limits = msgspec.structs.replace(limits, stop_time_in_force=TimeInForce.DAY)
    return msgspec.structs.replace(opening, profile=msgspec.structs.replace(opening.profile, limits=limits))


def check_access(access: Access, venue: str) -> None:
    """Keys must be able to trade, and never to withdraw. Raises ConfigError."""
    if not access.can_trade:
        raise ConfigError(f"the keys for {venue} may not trade ({access.detail or access.account}): allow it there")
    if access.can_withdraw:
        raise ConfigError(
            f"the keys for {venue} may withdraw money: whoever steals them takes everything. Make keys that can only"
            " trade",
            key="venues",
        )
    if abs(access.clock_ahead_ns) > CLOCK_DOUBTED_NS:
        ahead_ms = access.clock_ahead_ns // NS_PER_MS
        _log.warning(
            "clock_in_doubt", venue=venue, text=f"its clock is {ahead_ms} ms ahead of ours: keep ours with NTP"
        )
