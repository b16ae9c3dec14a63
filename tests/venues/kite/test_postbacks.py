from __future__ import annotations

import hashlib
import json

import pytest

from surefill.secret import Secret
from surefill.venues.kite.postbacks import hinted_order

SECRET = Secret("s")
CHECKSUM = hashlib.sha256(b"12026-11-27 10:00:00s").hexdigest()
RIGHT = {"order_id": "1", "order_timestamp": "2026-11-27 10:00:00", "checksum": CHECKSUM, "status": "COMPLETE"}


def test_postback_with_the_brokers_checksum_names_an_order_and_no_more() -> None:
    assert hinted_order(json.dumps(RIGHT), SECRET) == "1"
    assert hinted_order(json.dumps({**RIGHT, "status": "REJECTED"}), SECRET) == "1"  # which is why it is a hint only


WRONG = (
    json.dumps({**RIGHT, "order_id": "2"}),
    json.dumps({**RIGHT, "order_timestamp": "2026-11-27 10:00:01"}),
    json.dumps({**RIGHT, "checksum": ""}),
    json.dumps({**RIGHT, "checksum": "\u00e4" * 64}),
    json.dumps({**RIGHT, "order_id": 1}),
    "[]",
    "",
    b"\xff\xfe",
)


@pytest.mark.parametrize("body", WRONG)
def test_postback_that_is_not_the_brokers_hints_at_nothing(body: bytes | str) -> None:
    assert hinted_order(body, SECRET) == ""
