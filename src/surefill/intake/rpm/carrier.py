"""Carrying one decision out: read it, look at the market, hand it to the engine, wait for its end."""

from __future__ import annotations

from typing import Final

from surefill.config import profile_of
from surefill.domain.gates import Question, first_refusal
from surefill.domain.inputs import SetSession
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.refusals import Refusal
from surefill.domain.state import State
from surefill.engine.receipt import Receipt, Verdict
from surefill.engine.sessions import session_at
from surefill.errors import LocalError
from surefill.intake.open_door import OpenDoor
from surefill.intake.rpm.market import QuoteFeed
from surefill.intake.rpm.messages import RPMOutput
from surefill.intake.rpm.monitor import ExecutionMonitor
from surefill.intake.rpm.translation import OURS, Marks, Terms, Translated, translate
from surefill.units import NS_PER_S
from surefill.views.execution_table import Stored

SETTLE_S: Final = 5.0  # how much longer than its order an execution is waited for: its cancel, a last look
_MARKET_GATE: Final = "market_data"


class KeyConflict(LocalError):
    """The decision's id was used for another decision; `receipt` tells of that one."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.reason, code=receipt.code)
        self.receipt = receipt


class Carrier:
    """`wait_s`: how long an end is waited for (None: the order's timeout and a little more)."""

    def __init__(self, door: OpenDoor, monitor: ExecutionMonitor, feed: QuoteFeed, wait_s: float | None) -> None:
        self._door, self._monitor, self._feed, self._wait_s = door, monitor, feed, wait_s
        self._gates = gates = profile_of(door.settings).gates
        self._earlier = gates[: gates.index(_MARKET_GATE)] if _MARKET_GATE in gates else gates
        self._money_decimals = door.session.read(lambda state: state.book.money_decimals)

    def read(self, output: RPMOutput, terms: Terms, labels: dict[str, str]) -> Translated:
        """A decision as an intent, or why it is none.

        It is read by itself first: an instrument is only defined for one that is to be executed.
        """
        marks = Marks(self._door.new_story(), labels)
        found = translate(output, None, self._money_decimals, terms, marks)
        if found.refusal is not None:
            return found
        known = self._door.instrument(found.intent.instrument_id)
        if known.refusal is not None:
            return Translated(found.intent, known.refusal)
        return translate(output, known.instrument, self._money_decimals, terms, marks)

    def foresee(self, translated: Translated) -> Refusal | None:
        """What would be wrong with it now: the door's refusal, else the market's or a gate's. Nothing is recorded."""
        intent, refusal = translated
        if refusal is not None:
            return refusal
        quote, refusal = self._market(intent)
        return refusal or self._ask(intent, self._gates, quote)

    def carry_out(self, translated: Translated) -> Stored:
        """Execute, or record why not; the row when it has ended, or as far as it was waited for.

        Raises KeyConflict, AppendFailed, and LocalError where the log cannot tell.
        """
        intent, refusal = translated
        quote = None
        if refusal is None:
            quote, refusal = self._market(intent)
        receipt = self._door.submit(intent, quote, refusal)
        if receipt.verdict == Verdict.CONFLICT and not self._says_the_same(receipt.order_ref, intent):
            raise KeyConflict(receipt)
        row = self._monitor.wait(receipt.order_ref, self.patience(intent))
        if row is None:
            raise LocalError(f"execution {receipt.order_ref} is journaled, and the log does not have it")
        return row

    def _says_the_same(self, execution_id: str, intent: Intent) -> bool:
        """Whether an execution is of the very same decision, only that this engine was set up otherwise then."""
        row = self._monitor.row(execution_id)
        return row is not None and _words(row.details["decision"]) == _words(intent.context)

    def patience(self, intent: Intent) -> float:
        """How long its end is waited for, in seconds."""
        return intent.timeout_ns / NS_PER_S + SETTLE_S if self._wait_s is None else self._wait_s

    def _market(self, intent: Intent) -> tuple[Quote | None, Refusal | None]:
        """The quote to decide on. Where the feed has none, gates that come before the market's have the first word."""
        look = self._feed.look(self._door.session, intent.instrument_id, self._door.now_ns())
        problem = look.problem or (None if self._feed.is_there else self._door.shown(intent.instrument_id))
        if problem is None:
            return look.quote, None
        return None, self._ask(intent, self._earlier, None) or self._door.unseen(problem)

    def _ask(self, intent: Intent, gates: tuple[str, ...], quote: Quote | None) -> Refusal | None:
        """What these gates say now, with nothing recorded but the session that is on: it comes with prices else."""
        now_ns = self._door.now_ns()
        calendar = self._door.session.ensure_instrument(intent.instrument_id).calendar
        session = session_at(calendar, now_ns)
        if session is not None:
            self._door.feed([SetSession(now_ns, calendar, session.day, session.open_ns, session.end_ns)])

        def ask(state: State) -> Refusal | None:
            question = Question(state, intent, now_ns)
            question.quote = quote or question.quote
            return first_refusal(question, gates)

        return self._door.session.read(ask)


def _words(labels: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in labels.items() if name not in OURS}
