"""Taking over what the venue holds and our books do not know: a declared transfer, by a named person."""

from __future__ import annotations

from surefill.domain.account import AccountMove, MoveKind
from surefill.domain.inputs import MoveAccount
from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.engine.reconciliation import Differences
from surefill.errors import InputError
from surefill.units import observed_quanta


async def adopt(engine: Engine, workspace_id: str, by: str, prices: dict[str, str]) -> Differences:
    """Book every difference to the venue's positions as holdings that came or went, at the price of now.

    `prices`: by symbol, as a person writes them, where no price has been seen. Returns what still differs. Nothing is
    resumed by this. Raises InputError where nobody is named, a price is missing or an instrument is not known.
    """
    if not by:
        raise InputError("say who adopts", code="NAME_REQUIRED")
    found = await engine.reconcile(workspace_id)
    now_ns = engine.clock.now_ns()
    moves = await engine.read(workspace_id, lambda state: _moves(state, found, prices, f"adopted at {now_ns} by {by}"))
    if moves:
        await engine.feed(workspace_id, MoveAccount(now_ns, moves))
    return await engine.reconcile(workspace_id)


def _moves(state: State, found: Differences, prices: dict[str, str], move_id: str) -> tuple[AccountMove, ...]:
    moves = []
    for key, (ours, theirs) in found.items():
        instrument_id, _, bucket = key.partition("|")
        instrument = state.book.instruments.get(instrument_id)
        if instrument is None:
            raise InputError(
                f"{instrument_id} is not an instrument of this workspace: trade it (feed.symbols), or sell it there",
                code="UNKNOWN_INSTRUMENT",
            )
        quote = state.quotes.get(instrument_id)
        px = 0 if quote is None else quote.last_px or quote.bid_px
        if instrument_id in prices:
            px = observed_quanta(prices[instrument_id], instrument.price_decimals, field="price")
        if not px:
            raise InputError(
                f"no price for {instrument_id} has been seen yet: give one with --price {instrument_id}=…",
                code="NO_MARKET_DATA",
            )
        name = f"{move_id}: {key}"
        moves.append(AccountMove(MoveKind.TRANSFER, name, instrument_id, bucket, theirs - ours, px))
    return tuple(moves)
