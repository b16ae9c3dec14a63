"""The real KiteTicker, as a program: subscribes, prints what it hears as JSON lines, ends after enough of them.

Its reactor can run only once in a process, so a test starts one of these.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from kiteconnect import KiteTicker

root, api_key, access_token, token, enough = sys.argv[1:]
ticker = KiteTicker(api_key, access_token, root=root, reconnect=False)
heard = 0


def hear(kind: str, said: Any) -> None:
    global heard
    print(json.dumps([kind, said], default=str), flush=True)
    heard += 1
    if heard == int(enough):
        ticker.stop()


def connected(*_: object) -> None:
    ticker.subscribe([int(token)])
    ticker.set_mode(ticker.MODE_FULL, [int(token)])


ticker.on_connect = connected
ticker.on_ticks = lambda _, ticks: hear("ticks", ticks)
ticker.on_order_update = lambda _, order: hear("order", order)
ticker.on_error = lambda _, code, reason: print(code, reason, file=sys.stderr)
ticker.connect()
