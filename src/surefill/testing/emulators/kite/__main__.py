"""`python -m surefill.testing.emulators.kite --db PATH --port 0`: prints its port, serves until its input ends."""

from __future__ import annotations

import argparse
import asyncio

from surefill.testing.emulators.kite.serving import serve_process

parser = argparse.ArgumentParser(prog="surefill.testing.emulators.kite", description=__doc__)
parser.add_argument("--db", default=":memory:", help="SQLite file that holds the venue's truth")
parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")

if __name__ == "__main__":
    arguments = parser.parse_args()
    asyncio.run(serve_process(arguments.db, arguments.port))
