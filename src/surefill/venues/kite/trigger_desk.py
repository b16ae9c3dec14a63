"""The requests about triggers (GTT)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from surefill.errors import VenueOutcomeUnknown
from surefill.venues.kite.listing import Listed, usual_decimals
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.triggers import Gtt, GttId, GttKept, GttOutcome, GttRow, gtt_form, gtt_objection, gtt_of
from surefill.venues.kite.wire import Answer, Wire, data_of
from surefill.venues.protocol import Rejected, Unknown


class TriggerDesk:
    """Places, reads back, changes and deletes triggers. Nothing is sent twice: after Unknown, look with `find`."""

    def __init__(self, settings: KiteSettings, wire: Wire, listing: Callable[[], Mapping[str, Listed]]) -> None:
        self._settings = settings
        self._wire = wire
        self._listing = listing

    async def place(self, gtt: Gtt, last_px: int) -> GttOutcome:
        """Have the broker keep a trigger; `last_px` is the instrument's price now."""
        form = self._form(gtt, last_px)
        if isinstance(form, Rejected):
            return form
        return await self._outcome(lambda kite: kite.place_gtt(**form))

    async def modify(self, trigger_id: int, gtt: Gtt, last_px: int) -> GttOutcome:
        """Change one that waits."""
        form = self._form(gtt, last_px)
        if isinstance(form, Rejected):
            return form
        return await self._outcome(lambda kite: kite.modify_gtt(trigger_id, **form))

    async def delete(self, trigger_id: int) -> GttOutcome:
        """Take one back."""
        return await self._outcome(lambda kite: kite.delete_gtt(trigger_id))

    async def get(self, trigger_id: int) -> Gtt:
        """One trigger. Raises VenueOutcomeUnknown where the venue does not tell."""
        return self._read(await self._wire.look(lambda kite: kite.get_gtt(trigger_id), GttRow))

    async def all(self) -> tuple[Gtt, ...]:
        """All triggers, those that have been triggered too. Raises VenueOutcomeUnknown."""
        return tuple(self._read(row) for row in await self._wire.look(lambda kite: kite.get_gtts(), list[GttRow]))

    async def find(self, gtt: Gtt) -> tuple[Gtt, ...]:
        """Those that wait with the same terms: after an unknown outcome. Raises VenueOutcomeUnknown."""
        return tuple(each for each in await self.all() if each.status == "active" and each.like(gtt))

    def _form(self, gtt: Gtt, last_px: int) -> dict[str, Any] | Rejected:
        listed = self._listing().get(gtt.instrument_id)
        refused = gtt_objection(gtt, listed, self._settings)
        if refused is not None:
            return refused
        assert listed is not None
        return gtt_form(gtt, last_px, listed, self._settings)

    def _read(self, row: GttRow) -> Gtt:
        exchange = row.condition.exchange
        listed = self._listing().get(f"{exchange}:{row.condition.tradingsymbol}")
        decimals = usual_decimals(exchange) if listed is None else listed.instrument.price_decimals
        return gtt_of(row, decimals, self._settings)

    async def _outcome(self, do: Callable[[Any], object]) -> GttOutcome:
        answer = await self._wire.call(do)
        if not isinstance(answer, Answer):
            return answer
        try:
            return GttKept(data_of(answer, GttId).trigger_id)
        except VenueOutcomeUnknown as error:
            return Unknown(error.message, answer.raw)
