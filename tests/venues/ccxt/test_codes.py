"""What Binance's answers prove, one row an answer."""

from __future__ import annotations

import json

import pytest

from surefill.units import NS_PER_S
from surefill.venues.ccxt.binance.codes import judge_spot, judge_usdm
from surefill.venues.ccxt.verdict import Judge, Meaning
from surefill.venues.ccxt.wire import Answer

UNKNOWN_503 = "Unknown error, please check your request or try again later."
FAILED_503 = "Internal error; unable to process your request. Please try again."
ROWS: list[tuple[Judge, int, int | str, str, Meaning | None, int]] = [
    (judge_spot, 200, "", "", None, 0),
    (judge_spot, 500, "", "", Meaning.UNKNOWN, 0),
    (judge_spot, 502, "", "", Meaning.UNKNOWN, 0),
    (judge_spot, 503, -1008, "Server is currently overloaded with other requests.", Meaning.UNKNOWN, 0),
    (judge_spot, 503, -1000, "Service Unavailable.", Meaning.UNKNOWN, 0),
    (judge_spot, 503, -1013, "Filter failure: LOT_SIZE", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -1000, "An unknown error occurred while processing the request.", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -1001, "Internal error", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -1006, "An unexpected response was received from the message bus.", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -1007, "Timeout waiting for response from backend server.", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -1013, "Filter failure: LOT_SIZE", Meaning.REFUSED, 0),
    (judge_spot, 400, -1015, "Too many new orders; current limit is 50 orders per 10 SECOND.", Meaning.TURNED_AWAY, 10),
    (judge_spot, 400, -1015, "Too many new orders; current limit is 9 orders per 1 DAY.", Meaning.TURNED_AWAY, 86_400),
    (judge_spot, 400, -1021, "Timestamp for this request is outside of the recvWindow.", Meaning.CLOCK, 0),
    (judge_spot, 400, -1022, "Signature for this request is not valid.", Meaning.REFUSED, 0),
    (judge_spot, 400, -2010, "Account has insufficient balance for requested action.", Meaning.REFUSED, 0),
    (judge_spot, 400, -2010, "Duplicate order sent.", Meaning.DUPLICATE, 0),
    (judge_spot, 400, -2011, "Unknown order sent.", Meaning.ABSENT, 0),
    (judge_spot, 400, -2013, "Order does not exist.", Meaning.ABSENT, 0),
    (judge_spot, 401, -2015, "Invalid API-key, IP, or permissions for action.", Meaning.REFUSED, 0),
    (judge_spot, 409, -2021, "Order cancel-replace partially failed.", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -2021, "Order cancel-replace partially failed.", Meaning.UNKNOWN, 0),
    (judge_spot, 400, -2022, "Order cancel-replace failed.", Meaning.REFUSED, 0),
    (judge_spot, 400, -9876, "A code of tomorrow.", Meaning.UNKNOWN, 0),
    (judge_spot, 403, "", "", Meaning.UNKNOWN, 0),
    (judge_spot, 307, "", "", Meaning.UNKNOWN, 0),
    (judge_usdm, 503, -1000, UNKNOWN_503, Meaning.UNKNOWN, 0),
    (judge_usdm, 503, "", "Service Unavailable.", Meaning.TURNED_AWAY, 10),
    (judge_usdm, 503, -1001, FAILED_503, Meaning.TURNED_AWAY, 10),
    (judge_usdm, 503, -1008, "Server is currently overloaded with other requests.", Meaning.TURNED_AWAY, 10),
    (judge_usdm, 503, -1007, "Timeout waiting for response from backend server.", Meaning.UNKNOWN, 0),
    (judge_usdm, 500, -1000, "Service Unavailable.", Meaning.UNKNOWN, 0),
    (judge_usdm, 408, -1007, "Timeout waiting for response from backend server.", Meaning.UNKNOWN, 0),
    (judge_usdm, 400, -2019, "Margin is insufficient.", Meaning.REFUSED, 0),
    (judge_usdm, 400, -2021, "Order would immediately trigger.", Meaning.REFUSED, 0),
    (judge_usdm, 400, -2022, "ReduceOnly Order is rejected.", Meaning.REFUSED, 0),
    (judge_usdm, 400, -4116, "ClientOrderId is duplicated.", Meaning.DUPLICATE, 0),
    (judge_usdm, 400, -4164, "Order's notional must be no smaller than 5.0", Meaning.REFUSED, 0),
    (judge_usdm, 200, "200", "success", None, 0),
]


@pytest.mark.parametrize(("judge", "status", "code", "text", "meaning", "wait_s"), ROWS)
def test_answer_judged_proves_only_what_its_code_says(
    judge: Judge, status: int, code: int | str, text: str, meaning: Meaning | None, wait_s: int
) -> None:
    data = {"code": code, "msg": text} if code != "" or text else {}

    verdict = judge(Answer(status, json.dumps(data), data))

    assert (verdict and verdict.meaning) == meaning
    assert (verdict.retry_after_ns if verdict else 0) == wait_s * NS_PER_S


@pytest.mark.parametrize("judge", [judge_spot, judge_usdm])
@pytest.mark.parametrize(
    ("status", "retry_after", "wait_s"), [(429, "7", 7), (418, "120", 120), (429, "", 10), (429, "soon", 10)]
)
def test_refusal_at_the_door_with_retry_after_is_proof_and_says_when(
    judge: Judge, status: int, retry_after: str, wait_s: int
) -> None:
    answer = Answer(status, '{"code":-1003,"msg":"Too many requests."}', {"code": -1003}, {"retry-after": retry_after})

    verdict = judge(answer)

    assert verdict is not None
    assert (verdict.meaning, verdict.retry_after_ns) == (Meaning.TURNED_AWAY, wait_s * NS_PER_S)


def test_answer_that_is_no_json_proves_nothing() -> None:
    verdict = judge_spot(Answer(200, "<html>maintenance</html>"))

    assert verdict is not None
    assert verdict.meaning is Meaning.UNKNOWN
