"""`python -m surefill.testing.emulators NAME --db FILE --port PORT`: an emulated venue as a test's child process."""

from __future__ import annotations

import argparse

from surefill.testing.emulators.groundwork.server import serve_for_parent
from surefill.testing.emulators.kinds import KINDS, builder_of


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="surefill.testing.emulators")
    parser.add_argument("name", choices=sorted(KINDS))
    parser.add_argument("--db", default=":memory:")
    parser.add_argument("--port", type=int, default=0)
    asked = parser.parse_args()
    serve_for_parent(builder_of(asked.name), asked.db, asked.port)


if __name__ == "__main__":
    main()
