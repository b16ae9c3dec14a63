from __future__ import annotations

from typing import Any

import pytest
from tests.venues.kite.lines import STAMP_NS, TAG, ours, row, trade

from surefill.domain.reports import ExecType
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType
from surefill.venues.kite.reports import order_reports
from surefill.venues.kite.rows import OrderRow

STANDING: tuple[tuple[OrderRow, int, int], ...] = (
    (row(status="OPEN PENDING"), ExecType.STATUS, 0),
    (row(status="OPEN", filled_quantity=4), ExecType.STATUS, 4),
    (row(status="SOMETHING NEW"), ExecType.STATUS, 0),
    (row(status="COMPLETE", filled_quantity=10), ExecType.STATUS, 10),
    (row(status="COMPLETE", filled_quantity=5, quantity=5, modified=True), ExecType.CANCELED, 5),
    (row(status="CANCELLED"), ExecType.CANCELED, 0),
    (row(status="CANCELLED", filled_quantity=4), ExecType.CANCELED, 4),
    (row(status="CANCELLED AMO"), ExecType.CANCELED, 0),
    (row(status="REJECTED"), ExecType.REJECTED, 0),
    (row(status="REJECTED", filled_quantity=4), ExecType.CANCELED, 4),
)


@pytest.mark.parametrize(("line", "exec_type", "cum_qty"), STANDING, ids=lambda part: getattr(part, "status", part))
def test_line_says_where_the_order_stands_and_fills_nothing(line: OrderRow, exec_type: int, cum_qty: int) -> None:
    (report,) = order_reports(ours(), [line], [], 2)
    assert (report.exec_type, report.cum_qty, report.last_qty) == (exec_type, cum_qty, 0)
    assert (report.cl_ord_id, report.order_id, report.code) == (TAG, "1", line.status)


def test_executions_come_from_trades_with_their_own_prices_and_ids() -> None:
    line = row(status="COMPLETE", filled_quantity=10)
    first, second, stands = order_reports(
        ours(), [line], [trade("7", quantity=4), trade("8", quantity=6, px="1499")], 2
    )
    assert [(each.exec_id, each.last_qty, each.last_px) for each in (first, second)] == [
        ("1-7", 4, 150_005),
        ("1-8", 6, 149_900),
    ]
    assert (first.transact_ns, first.side, first.instrument_id) == (STAMP_NS, 1, "NSE:INFY")
    assert stands.exec_type == ExecType.STATUS


def test_execution_finer_than_the_instrument_is_not_rounded() -> None:
    with pytest.raises(VenueOutcomeUnknown, match="cannot be read"):
        order_reports(ours(), [row()], [trade("7", px="1500.055")], 2)


@pytest.mark.parametrize(("status", "triggered"), [("TRIGGER PENDING", False), ("OPEN", True), ("COMPLETE", True)])
def test_stop_order_has_triggered_once_it_is_open(status: str, triggered: bool) -> None:
    own = ours(ord_type=OrdType.STOP, stop_px=1)
    kinds = [report.exec_type for report in order_reports(own, [row(status=status)], [], 2)]
    assert (ExecType.TRIGGERED in kinds) == triggered


PIECES: tuple[tuple[str, list[dict[str, Any]], bool, int | None], ...] = (
    ("one lives", [{"status": "COMPLETE", "filled_quantity": 4}, {"status": "OPEN"}], True, ExecType.STATUS),
    ("all done", [{"status": "COMPLETE", "filled_quantity": 4}] * 2 + [
        {"status": "COMPLETE", "filled_quantity": 2, "quantity": 2}], True, ExecType.STATUS),
    ("some refused", [{"status": "COMPLETE", "filled_quantity": 4}, {"status": "REJECTED"}], True, ExecType.CANCELED),
    ("all refused", [{"status": "REJECTED"}] * 2, True, ExecType.REJECTED),
    ("not all seen", [{"status": "COMPLETE", "filled_quantity": 4}, {"status": "CANCELLED"}], False, None),
)  # fmt: skip


@pytest.mark.parametrize(("name", "lines", "told_all", "exec_type"), PIECES, ids=[case[0] for case in PIECES])
def test_order_in_pieces_ends_only_when_all_of_them_are_accounted_for(
    name: str, lines: list[dict[str, Any]], told_all: bool, exec_type: int | None
) -> None:
    rows = [row(str(number), **{"quantity": 4, **line}) for number, line in enumerate(lines)]
    own = ours(4, tuple(each.order_id for each in rows) if told_all else (), told_all=told_all)
    if exec_type is None:
        with pytest.raises(VenueOutcomeUnknown, match="not accounted for"):
            order_reports(own, rows, [], 2)
    else:
        (report,) = order_reports(own, rows, [], 2)
        assert report.exec_type == exec_type
        assert report.cum_qty == sum(each.filled_quantity for each in rows)


def leg(number: int, status: str, remaining: int, filled: int = 0) -> OrderRow:
    meta = {
        "iceberg": {"leg": number, "legs": 3, "leg_quantity": 4, "total_quantity": 10, "remaining_quantity": remaining}
    }
    return row(str(number), status, quantity=4, filled_quantity=filled, variety="iceberg", meta=meta)


def test_iceberg_waits_for_its_next_leg_and_ends_with_a_leg_that_was_cancelled() -> None:
    with pytest.raises(VenueOutcomeUnknown):
        order_reports(ours(4), [leg(1, "COMPLETE", 6, 4)], [], 2)
    (report,) = order_reports(ours(4), [leg(1, "COMPLETE", 6, 4), leg(2, "CANCELLED", 2)], [], 2)
    assert (report.exec_type, report.cum_qty) == (ExecType.CANCELED, 4)
