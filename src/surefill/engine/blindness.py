"""Exits that the engine watches see nothing without prices: which positions are blind."""

from __future__ import annotations

from surefill.domain.state import State
from surefill.units import NS_PER_S


def blind_positions(state: State, now_ns: int, after_ns: int) -> dict[str, str]:
    """By position, why its plan sees nothing: its session is on, and no price has come for `after_ns`.

    A position whose stop rests at the venue, confirmed, is guarded there. One without a plan has nothing to be blind.
    """
    found = {}
    for key, position in state.open_positions():
        protection = position.protection
        at_venue = protection is not None and protection.stop_cl_ord_id and not protection.naked_ns
        if protection is None or at_venue or not _trades_now(state, position.instrument_id, now_ns):
            continue
        quote = state.quotes.get(position.instrument_id)
        since_ns = position.opened_ns if quote is None else quote.ts_ns
        if now_ns - since_ns >= after_ns:
            what = (
                "no price has come" if quote is None else f"its last price is {(now_ns - since_ns) // NS_PER_S} s old"
            )
            found[key] = f"{what}: its stop and its target see nothing"
    return found


def _trades_now(state: State, instrument_id: str, now_ns: int) -> bool:
    session = state.book.sessions.get(state.book.instruments[instrument_id].calendar)
    return session is None or session.open_ns <= now_ns < session.end_ns
