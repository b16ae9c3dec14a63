import re

from surefill.domain.ids import IdStyle, cl_ord_id, order_ref

NOON_NS = 1_700_000_000 * 10**9


def test_cl_ord_id_is_a_function_of_its_origin_that_every_venue_takes() -> None:
    made = cl_ord_id("w", "intent|story", 1)
    assert made == cl_ord_id("w", "intent|story", 1)
    assert re.fullmatch("[0-9a-f]{20}", made)


def test_cl_ord_id_differs_with_workspace_origin_and_number() -> None:
    made = {cl_ord_id(w, origin, n) for w in ("w", "v") for origin in ("a|b", "b|a", "") for n in (1, 2, 11)}
    assert len(made) == 2 * 3 * 3


def test_order_ref_stamped_shows_the_second_and_the_number() -> None:
    assert order_ref(IdStyle.STAMPED, "V3", "w", NOON_NS, 7) == "V3-20231114221320-0007"
    assert order_ref(IdStyle.STAMPED, "V3", "w", NOON_NS, 123_456) == "V3-20231114221320-123456"


def test_order_ref_hex_depends_on_workspace_and_number_alone() -> None:
    made = order_ref(IdStyle.HEX, "order", "w", NOON_NS, 7)
    assert re.fullmatch("order_[0-9a-f]{16}", made)
    assert made == order_ref(IdStyle.HEX, "order", "w", NOON_NS + 1, 7)
    assert made != order_ref(IdStyle.HEX, "order", "w", NOON_NS, 8)
    assert made != order_ref(IdStyle.HEX, "order", "v", NOON_NS, 7)
