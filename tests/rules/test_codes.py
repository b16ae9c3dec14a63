"""Published values never change their meaning: they are in journals."""

import enum

import pytest

from surefill.rules import codes

PUBLISHED = {
    codes.Side: {"BUY": 1, "SELL": -1},
    codes.OrdType: {"MARKET": 1, "LIMIT": 2, "STOP": 3, "STOP_LIMIT": 4},
    codes.TimeInForce: {"DAY": 0, "GTC": 1, "IOC": 3, "FOK": 4},
    codes.OrdStatus: {
        "SUBMITTED": 1,
        "UNKNOWN": 2,
        "NEW": 3,
        "PARTIALLY_FILLED": 4,
        "FILLED": 5,
        "CANCELED": 6,
        "REJECTED": 7,
        "EXPIRED": 8,
    },
    codes.OrdEvent: {
        "ACCEPT": 1,
        "REJECT": 2,
        "OUTCOME_UNKNOWN": 3,
        "FILL": 4,
        "FILL_COMPLETE": 5,
        "CANCEL": 6,
        "EXPIRE": 7,
    },
    codes.Anomaly: {"DUPLICATE": -1, "LATE_FILL": -2, "ILLEGAL": -3},
    codes.KillLevel: {"NORMAL": 0, "THROTTLE": 1, "SUSPEND": 2, "SHUTDOWN": 3},
    codes.DriftBand: {"NONE": 1, "LOG": 2, "ALERT": 3, "CORRECT": 4, "HALT": 5},
    codes.PartialFill: {"ACCEPT": 1, "RETRY": 2},
    codes.ExitReason: {
        "NONE": 0,
        "STOP": 1,
        "TARGET": 2,
        "TRAILING": 3,
        "PARTIAL": 4,
        "TIME_STOP": 5,
        "END_OF_DAY": 6,
        "MANUAL": 7,
        "SIGNAL": 8,
        "SHUTDOWN": 9,
    },
    codes.FillMode: {"LTP": 1, "MID": 2, "BID_ASK": 3},
    codes.IntrabarPolicy: {"WORST_CASE": 1, "BEST_CASE": 2},
    codes.PositionEffect: {"NONE": 0, "OPENED": 1, "SCALED": 2, "REDUCED": 3, "CLOSED": 4, "FLIPPED": 5},
    codes.FeeKind: {"NONE": 0, "PER_NOTIONAL": 1, "PER_UNIT": 2, "PER_ORDER": 3, "ON_CHARGES": 4},
}


@pytest.mark.parametrize(("codes_enum", "members"), PUBLISHED.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_codes_published_members_keep_their_values(codes_enum: type[enum.IntEnum], members: dict[str, int]) -> None:
    assert {member.name: int(member) for member in codes_enum}.items() >= members.items()


def test_codes_every_enumeration_is_published_here() -> None:
    found = {
        value
        for value in vars(codes).values()
        if isinstance(value, type) and issubclass(value, enum.IntEnum) and value is not enum.IntEnum
    }
    assert found == PUBLISHED.keys()
