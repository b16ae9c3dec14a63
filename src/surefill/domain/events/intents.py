"""What became of intents."""

from __future__ import annotations

from surefill.domain.events.event import Event
from surefill.domain.intent import Intent


class IntentAccepted(Event, frozen=True):
    """All gates of the profile, in the version cited, let the intent pass. It claims its key.

    `given_px`: the price that came with it (0: none), part of what the key stands for. `value`: the money that an
    entry of a basket binds, at the worst price it may trade at. `sized`: how the quantity came about, where the core
    sized it. `warnings`: what policy had to say against it, and let it pass all the same.
    """

    intent: Intent
    number: int
    limits_version: int
    given_px: int = 0
    value: int = 0
    sized: str = ""
    warnings: tuple[str, ...] = ()


class IntentRefused(Event, frozen=True):
    """A gate said no. The intent does not claim its key and may be sent again.

    `rule`: the rule of policy that said no (empty: a gate did). `warnings`: what policy said before that.
    """

    intent: Intent
    number: int
    limits_version: int
    order_ref: str
    code: int
    reason: str
    rule: str = ""
    warnings: tuple[str, ...] = ()


class IntentEvaluated(Event, frozen=True):
    """Policy was asked about an intent before anybody executes it. Nothing is bound by it: execution asks again.

    `qty`: the quantity that is approved, never above the intent's (0: none). `resized`: why it is smaller. `code` (0:
    approved) and `reason`: why it is refused, by which `rule`. `given_px`: the price it was judged by (0: none came).
    """

    intent: Intent
    limits_version: int
    qty: int
    code: int = 0
    reason: str = ""
    rule: str = ""
    warnings: tuple[str, ...] = ()
    resized: str = ""
    given_px: int = 0
