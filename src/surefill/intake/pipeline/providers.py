"""What the caller's own systems tell of the account, beside our books: a balance, and positions.

They can only make a signal smaller or refuse it. No answer, or none that makes sense, refuses it: nothing is invented.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.intake.pipeline.bus import shown
from surefill.intake.pipeline.translation import Account
from surefill.units import MONEY_MAX

Provider = Callable[[], Any]

ANSWER_WITHIN_S: Final = 5.0
_QUANTITY: Final = ("quantity", "qty", "amount", "contracts", "size")


class Providers:
    """Asks them; plain functions on a thread, coroutine functions on the caller's loop."""

    def __init__(self, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.balance: Provider | None = None
        self.positions: Provider | None = None
        self._within_s = answer_within_s
        self._thread = ThreadPoolExecutor(2, thread_name_prefix="surefill-providers")

    def close(self) -> None:
        """Ask nobody any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def account(self, cash: int, money_decimals: int, held: Collection[str]) -> Account:
        """What they tell now. `cash` in money quanta and `held` (symbols) are our own books."""
        balance: int | None = None
        elsewhere = 0
        if self.balance is not None:
            answer = await self._ask(self.balance, "balance")
            balance = None if isinstance(answer, Refusal) else _money(answer, money_decimals)
            if balance is None:
                return Account(problem=_missing("balance", answer, RefusalCode.EQUITY_UNKNOWN))
        if self.positions is not None:
            answer = await self._ask(self.positions, "positions")
            count = None if isinstance(answer, Refusal) else positions_elsewhere(answer, held)
            if count is None:
                return Account(problem=_missing("positions", answer, RefusalCode.FIGURE_MISSING))
            elsewhere = count
        return Account(balance, cash, elsewhere)

    async def _ask(self, provider: Provider, what: str) -> Any:
        try:
            async with asyncio.timeout(self._within_s):
                if inspect.iscoroutinefunction(provider):
                    return await provider()
                answer = await asyncio.get_running_loop().run_in_executor(self._thread, provider)
                return await answer if inspect.isawaitable(answer) else answer
        except TimeoutError:
            return Refusal(RefusalCode.FIGURE_MISSING, f"no answer within {self._within_s} s")
        except Exception as error:  # whatever it raises, it has told nothing
            return Refusal(RefusalCode.FIGURE_MISSING, f"{type(error).__name__}: {shown(error)}")


def _missing(what: str, answer: object, code: RefusalCode) -> Refusal:
    told = answer.reason if isinstance(answer, Refusal) else f"it said {shown(ValueError(repr(answer)))}"
    return Refusal(code, f"the {what} provider told no {what} ({told}): the signal is not sized on a guess")


def _money(answer: Any, decimals: int) -> int | None:
    """An amount in money quanta, cut off downwards; None for what is not an amount."""
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        return None
    if not math.isfinite(answer) or answer < 0:
        return None
    money = math.floor(Decimal(str(answer)).scaleb(decimals))
    return money if money <= MONEY_MAX else MONEY_MAX


def positions_elsewhere(answer: Any, held: Collection[str]) -> int | None:
    """How many positions are told that are not in our own books; None for what tells none.

    A number is a count of all; a mapping goes by symbol; anything else is a collection of symbols, or of positions
    with a symbol and a quantity.
    """
    if isinstance(answer, bool) or answer is None or isinstance(answer, str | bytes):
        return None
    if isinstance(answer, int):
        return max(0, answer - len(held)) if answer >= 0 else None
    if isinstance(answer, Mapping):
        pairs = list(answer.items())
    elif isinstance(answer, Collection):
        pairs = [(each if isinstance(each, str) else _field(each, ("symbol",)), each) for each in answer]
    else:
        return None
    symbols = {symbol for symbol, position in pairs if _quantity(position) != 0}
    return None if any(not isinstance(symbol, str) for symbol in symbols) else len(symbols - set(held))


def _field(source: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if value is not None:
            return value
    return None


def _quantity(position: Any) -> object:
    """Its quantity; a position that does not say one is one."""
    if isinstance(position, int | float | Decimal) and not isinstance(position, bool):
        return position
    found = _field(position, _QUANTITY)
    return 1 if found is None else found
