"""Files that are replaced whole, kept up by a thread of their own.

Replacing a file costs milliseconds on common file systems, and the engine's thread has none to give. So whoever
changes the state only says that it has changed, and this thread writes what is newest, as often as it can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from surefill.views.appended_file import replace_file

PAUSE_S = 0.02


class DocumentKeeper:
    """Writes what `render` gives, when `touch` was called and something is different. Errors go to `on_error`."""

    def __init__(
        self, root: Path, render: Callable[[], Mapping[str, bytes]], on_error: Callable[[Exception], None]
    ) -> None:
        self._root = root
        self._render = render
        self._on_error = on_error
        self._written: dict[str, bytes] = {}
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._in_a_hurry = self._closing = False
        self._thread: threading.Thread | None = None

    def write(self) -> None:
        """Write now, on the caller's thread. Raises OSError."""
        for name, data in self._render().items():
            if self._written.get(name) != data:
                replace_file(self._root / name, data)
                self._written[name] = data

    def touch(self) -> None:
        """Something has changed: write it soon."""
        with self._changed:
            if self._closing:
                return
            self._asked += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="surefill-artefacts", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything touched so far is written (or has failed)."""
        with self._changed:
            wanted = self._asked
            self._in_a_hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= wanted, timeout_s)

    def close(self) -> None:
        """Write what is left and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._done or self._closing)
                if self._asked == self._done:
                    return
                asked, self._in_a_hurry = self._asked, False
            try:
                self.write()
            except Exception as error:  # told to the owner: a thread has nobody to raise to
                self._on_error(error)
            with self._changed:
                self._done = asked
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._in_a_hurry or self._closing, PAUSE_S)
