"""Gates on the flow of intents: halts and repeats."""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.intent import Action
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.units import quanta_text


def halted(q: Question) -> Refusal | None:
    """The workspace, the instrument and the strategy take entries. What only reduces is always let through."""
    if q.intent.action == Action.CLOSE or q.reduces:
        return None
    if q.book.halted_code:
        return Refusal(
            RefusalCode.HALTED,
            f"workspace {q.book.workspace_id} is halted ({q.book.halted_code}: {q.book.halted_reason}):"
            " find the cause, then resume it",
        )
    reason = q.book.halted_instruments.get(q.intent.instrument_id)
    if reason is not None:
        return Refusal(
            RefusalCode.SYMBOL_HALTED, f"{q.intent.instrument_id} is halted ({reason}): resume it when mended"
        )
    reason = q.book.halted_strategies.get(q.intent.strategy_id)
    if reason is not None:
        return Refusal(
            RefusalCode.STRATEGY_PAUSED, f"strategy {q.intent.strategy_id} is paused ({reason}): resume it first"
        )
    return None


def duplicate(q: Question) -> Refusal | None:
    """Without a key, the like of an intent within the window is taken for a repeat."""
    window_ns = q.profile.limits.duplicate_window_ns
    if not window_ns or q.intent.intent_id:
        return None
    seen_ns = q.book.recent_intents.get(q.intent.likeness())
    if seen_ns is None or q.ts_ns - seen_ns >= window_ns:
        return None
    return Refusal(
        RefusalCode.DUPLICATE_INTENT,
        f"the same intent came {quanta_text(q.ts_ns - seen_ns, 9)} s ago (window {quanta_text(window_ns, 9)} s):"
        " give it an intent_id of its own if it is meant",
    )
