"""`python -m surefill.testing.remote_venue --db PATH --port 0`: prints its port, serves until its input ends."""

from __future__ import annotations

import argparse
import asyncio

from surefill.testing.remote_venue.server import serve

parser = argparse.ArgumentParser(prog="surefill.testing.remote_venue", description=__doc__)
parser.add_argument("--db", required=True, help="SQLite file that holds the venue's truth")
parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")

if __name__ == "__main__":
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.db, arguments.port))
