"""A file beside the journal by which a run in another process is asked to stop."""

from __future__ import annotations

from pathlib import Path


class CancelNote:
    """The note of one run."""

    def __init__(self, journal: Path, run_plan_id: str) -> None:
        self._path = journal.with_name(f"{journal.name}.cancel-{run_plan_id}")

    def write(self) -> None:
        """Ask the run to stop."""
        self._path.touch()

    def is_there(self) -> bool:
        """Whether it was asked to."""
        return self._path.exists()

    def remove(self) -> None:
        """Forget it."""
        self._path.unlink(missing_ok=True)
