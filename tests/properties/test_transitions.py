"""Whatever a venue says, in whatever order, an order's life makes sense."""

from hypothesis import given
from hypothesis import strategies as st

from surefill.rules.codes import Anomaly, OrdEvent, OrdStatus
from surefill.rules.transitions import is_terminal, next_status

EVENTS = st.lists(st.sampled_from(OrdEvent), max_size=30)
FILLS = (OrdEvent.FILL, OrdEvent.FILL_COMPLETE)


@given(st.integers(), st.integers())
def test_next_status_any_integers_gives_a_status_or_an_anomaly(status: int, event: int) -> None:
    after = next_status(status, event)
    assert after in set(OrdStatus) | set(Anomaly)


@given(EVENTS)
def test_order_life_any_story_keeps_its_promises(events: list[OrdEvent]) -> None:
    status = int(OrdStatus.SUBMITTED)
    traded = heard = False
    for event in events:
        after = next_status(status, event)
        if is_terminal(status):
            assert after < 0
            assert (after == Anomaly.LATE_FILL) == (event in FILLS)
        elif event in FILLS:
            assert after > 0
        if after > 0:
            assert after != OrdStatus.SUBMITTED
            assert after != OrdStatus.UNKNOWN or not heard
            assert after != OrdStatus.REJECTED or not traded
            status = after
            traded = traded or event in FILLS
            heard = heard or event != OrdEvent.OUTCOME_UNKNOWN


@given(EVENTS)
def test_order_life_acknowledgement_late_or_repeated_changes_nothing(events: list[OrdEvent]) -> None:
    status = int(OrdStatus.SUBMITTED)
    for event in [OrdEvent.ACCEPT, *events]:
        after = next_status(status, event)
        status = after if after > 0 else status
        assert next_status(status, OrdEvent.ACCEPT) == Anomaly.DUPLICATE
