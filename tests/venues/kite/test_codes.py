from __future__ import annotations

import pytest

from surefill.venues.kite.codes import LIVE, Phase, phase_of, refusal
from surefill.venues.protocol import Rejected, Unknown

#: Every live state that the safety case names.
NAMED_LIVE = (
    "PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "MODIFY VALIDATION PENDING", "MODIFY PENDING",
    "CANCEL PENDING", "TRIGGER PENDING", "AMO REQ RECEIVED", "OPEN",
)  # fmt: skip


@pytest.mark.parametrize("status", NAMED_LIVE)
def test_status_of_a_living_order_is_live(status: str) -> None:
    assert status in LIVE
    assert phase_of(status) is Phase.LIVE


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("COMPLETE", Phase.COMPLETE),
        ("CANCELLED", Phase.CANCELLED),
        ("CANCELLED AMO", Phase.CANCELLED),
        ("REJECTED", Phase.REJECTED),
        ("LAPSED", Phase.LIVE),
        ("", Phase.LIVE),
    ],
)
def test_status_ends_an_order_only_where_the_table_says_so(status: str, phase: Phase) -> None:
    assert phase_of(status) is phase


@pytest.mark.parametrize("error_type", ["NetworkException", "DataException", "GeneralException", "OrderException", ""])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_unknown_whatever_its_type(status: int, error_type: str) -> None:
    assert isinstance(refusal(status, error_type, "m", ""), Unknown)


@pytest.mark.parametrize("message", ["Request timed out", "Gateway Timeout", "OMS: Time out"])
def test_words_of_a_time_out_take_the_proof_away(message: str) -> None:
    assert isinstance(refusal(400, "OrderException", message, ""), Unknown)
    assert isinstance(refusal(400, "OrderException", "no", ""), Rejected)


def test_too_many_requests_is_proof_though_its_type_is_a_network_error() -> None:
    outcome = refusal(429, "NetworkException", "timed out", "")
    assert isinstance(outcome, Rejected)
    assert outcome.undelivered
    assert outcome.retry_after_ns > 0
