"""How a long run behaves: it ends gracefully, keeps files up to date, and tells how things stand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from surefill.cli.output import note

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.intake.session import Session


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and a terminate signal end the run between two moments; a second Ctrl-C ends it at once."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        note("Stopping after this moment; once more ends at once.")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def keep_artefacts(session: Session, settings: Settings) -> Any:
    """Keep the files under artifacts.dir up to date; what ends that."""
    from surefill.views.projector import Projector

    projector = Projector(settings.artifacts_dir, session.journal, session.workspace_id)
    projector.catch_up()
    session.subscribe(projector.follow)
    return projector.close


def told_status(session: Session) -> dict[str, Any]:
    """How the workspace stands, in plain values."""
    import msgspec

    from surefill.engine.status import status_of

    told: dict[str, Any] = msgspec.to_builtins(session.read(status_of))
    return told
