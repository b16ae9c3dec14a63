"""What Binance's codes prove.

Spot: binance/binance-spot-api-docs, errors.md (commit a5e0bc3) and rest-api.md, "HTTP return codes".
USD-M: developers.binance.com, USDⓈ-M futures, "Error codes" and "General info" (the three meanings of 503), as of 2026.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from surefill.units import NS_PER_S
from surefill.venues.ccxt.verdict import (
    TURNED_AWAY_NS,
    Meaning,
    Verdict,
    by_table,
    refused_at_the_door,
    unclear,
)
from surefill.venues.ccxt.wire import Answer

#: Requests that are turned down before the matching engine sees them: malformed, not allowed, not known.
_MALFORMED = (
    *(-1002, -1013, -1014, -1016, -1020, -1022, -1033, -1035),
    *(-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1112, -1114, -1115, -1116, -1117, -1118, -1119),
    *(-1120, -1121, -1122, -1125, -1127, -1128, -1130, -1134, -1135, -1139, -1145, -1151, -1152, -1153, -1155, -1158),
    *(-1160, -1161, -1165, -1166, -1168, -1169, -1170, -1171, -1172, -1173, -1174, -1175, -1176, -1177, -1178, -1179),
    *(-1180, -1182, -1183, -1184, -1185, -1186, -1187, -1188, -1189, -1190, -1191, -1194, -1196, -1197, -1198, -1199),
    *(-1210, -1211, -1220, -1221, -1222, -1223, -1224, -1225),
)
_COMMON = {
    **{str(code): Meaning.REFUSED for code in _MALFORMED},
    "-1000": Meaning.UNKNOWN,
    "-1001": Meaning.UNKNOWN,
    "-1003": Meaning.TURNED_AWAY,
    "-1006": Meaning.UNKNOWN,
    "-1007": Meaning.UNKNOWN,
    "-1008": Meaning.UNKNOWN,  # with a 503 of spot: execution status unknown; USD-M see below
    "-1015": Meaning.TURNED_AWAY,
    "-1021": Meaning.CLOCK,
    "-1034": Meaning.TURNED_AWAY,
    "-1181": Meaning.TURNED_AWAY,
    "-2010": Meaning.REFUSED,  # but see DUPLICATE_TEXT
    "-2011": Meaning.ABSENT,  # of a cancel: it may have filled
    "-2013": Meaning.ABSENT,  # it may be lag
    "-2014": Meaning.REFUSED,
    "-2015": Meaning.REFUSED,
    "-2016": Meaning.REFUSED,
}
SPOT = MappingProxyType(
    {
        **_COMMON,
        "-2021": Meaning.UNKNOWN,  # cancel-replace is half done
        "-2022": Meaning.REFUSED,  # neither half of a cancel-replace was done
        "-2026": Meaning.ABSENT,  # archived: over, without a fill, more than 90 days ago
        "-2035": Meaning.REFUSED,
        "-2036": Meaning.REFUSED,
        "-2039": Meaning.REFUSED,
        "-2042": Meaning.REFUSED,
        "-2043": Meaning.REFUSED,
        "-2038": Meaning.REFUSED,
    }
)
USDM = MappingProxyType(
    {
        **_COMMON,
        "-1008": Meaning.TURNED_AWAY,
        "-2018": Meaning.REFUSED,  # balance not sufficient
        "-2019": Meaning.REFUSED,  # margin not sufficient
        "-2020": Meaning.REFUSED,  # unable to fill
        "-2021": Meaning.REFUSED,  # order would immediately trigger
        "-2022": Meaning.REFUSED,  # reduce-only order is rejected
        "-2023": Meaning.REFUSED,  # user in liquidation mode
        "-2024": Meaning.REFUSED,  # position is not sufficient
        "-2025": Meaning.REFUSED,  # too many open orders
        "-2026": Meaning.REFUSED,  # this order type does not support reduce-only
        "-2027": Meaning.REFUSED,  # the largest position at this leverage
        "-2028": Meaning.REFUSED,  # leverage is smaller than permitted
        "-4116": Meaning.DUPLICATE,
        **{
            str(code): Meaning.REFUSED
            for code in (
                *range(-4020, -3999),  # price, quantity and stop price out of their bounds or not a multiple of them
                *range(-4032, -4022),  # quantity, working type and count of stop orders
                *(-4044, -4045, -4046, -4055, -4059, -4060, -4061, -4062, -4067, -4068, -4082, -4083, -4084),
                *(-4104, -4105, -4106, -4107, -4108, -4109, -4112, -4114, -4115, -4117, -4118),
                *(-4131, -4135, -4136, -4137, -4138, -4139, -4140, -4141, -4142, -4164, -4165, -4183, -4184),
                *(-4192, -4202, -4203, -4400, -4401, -4402, -4403),
                *(-5021, -5022, -5024, -5025, -5026, -5027, -5028),
            )
        },
    }
)

#: -2010 with this text: the id is in use by an open order, which may well be ours.
DUPLICATE_TEXT = "Duplicate order sent."
#: USD-M's 503: these texts are failures (nothing was done), "Unknown error, please check your request or try again
#: later." is an unknown execution status. Source: USDⓈ-M futures, general info, "HTTP return codes".
USDM_FAILED = ("Service Unavailable.", "Internal error; unable to process your request. Please try again.")
OVERLOADED = "-1008"
_PER = re.compile(r"per (\d{1,3}) (SECOND|MINUTE|HOUR|DAY)")
_PERIOD_S = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}


def judge_spot(answer: Answer) -> Verdict | None:
    """What an answer of the spot API proves; None: it was done."""
    return _judged(answer, usdm=False)


def judge_usdm(answer: Answer) -> Verdict | None:
    """What an answer of the USD-M API proves; None: it was done."""
    return _judged(answer, usdm=True)


def _judged(answer: Answer, *, usdm: bool) -> Verdict | None:
    turned_away = refused_at_the_door(answer)
    if turned_away is not None:
        return turned_away
    code, text = _said(answer)
    if answer.status >= 500:
        if usdm and answer.status == 503 and (code == OVERLOADED or text in USDM_FAILED):
            wait_ns = answer.retry_after_ns or TURNED_AWAY_NS
            return Verdict(Meaning.TURNED_AWAY, code or "HTTP_503", text, wait_ns)
        return unclear(answer, code, text)
    if answer.status == 409:
        return unclear(answer, code, text)
    if code.startswith("-"):
        verdict = by_table(answer, code, text, USDM if usdm else SPOT)
        if code == "-2010" and text.startswith(DUPLICATE_TEXT):
            return Verdict(Meaning.DUPLICATE, code, text)
        if code == "-1015" and not answer.retry_after_ns:
            return Verdict(verdict.meaning, code, text, _period_ns(text) or verdict.retry_after_ns)
        return verdict
    if answer.status != 200 or answer.data is None:
        return unclear(answer, code, text)
    return None


def _said(answer: Answer) -> tuple[str, str]:
    """Code and message, "" where there are none."""
    if not isinstance(answer.data, dict):
        return "", ""
    code = answer.data.get("code", "")
    known = isinstance(code, int | str) and not isinstance(code, bool)
    return str(code) if known else "", str(answer.data.get("msg", ""))


def _period_ns(text: str) -> int:
    """How long "… orders per 10 SECOND" lasts at most."""
    found = _PER.search(text)
    return int(found[1]) * _PERIOD_S[found[2]] * NS_PER_S if found else 0
