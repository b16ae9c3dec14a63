"""No gate without its cases: one that passes, one that blocks, one for want of its input, one at the limit, an exit."""

from __future__ import annotations

import pytest
from tests.domain.gates import test_account, test_breakers, test_caps, test_flow, test_market, test_signal, test_terms
from tests.domain.gates import test_value as value_table
from tests.domain.gates.asking import Case, Kind

from surefill.domain.gates import GATES

TABLES = (test_account, test_breakers, test_caps, test_flow, test_market, test_signal, test_terms, value_table)
CASES: dict[str, list[Case]] = {gate: cases for table in TABLES for gate, cases in table.CASES.items()}

#: Gates whose input can never be missing, and why.
NOTHING_MISSING = {
    "duplicate": "no intent like it is what it lets through",
    "halted": "no switch thrown is what it lets through",
    "loss_streak": "counted from the journal, from 0",
    "lots": "every instrument has a lot",
    "open_positions": "counted from the journal, from 0",
    "order_rate": "counted from the journal, from 0",
    "message_rate": "counted from the journal, from 0",
    "owner": "nobody is what it lets through",
    "reject_streak": "counted from the journal, from 0",
    "repeated_fills": "counted from the journal, from 0",
    "sane": "the gate of market data asks whether there is a price",
    "slippage": "counted from the journal, from 0",
    "tick": "every instrument has a tick",
    "tradable": "every instrument says so",
}

#: Gates that know no more or less.
NO_LIMIT = {"action", "algo_id", "instrument"}


def test_every_gate_has_a_table() -> None:
    assert CASES.keys() == GATES.keys()
    assert sum(len(table.CASES) for table in TABLES) == len(GATES), "one table each"


@pytest.mark.parametrize("gate", GATES)
def test_gate_has_every_kind_of_case(gate: str) -> None:
    needed = set(Kind)
    if gate in NOTHING_MISSING:
        needed.remove(Kind.MISSING)
    if gate in NO_LIMIT:
        needed.remove(Kind.LIMIT)
    assert {case.kind for case in CASES[gate]} == needed


@pytest.mark.parametrize("gate", GATES)
def test_gate_says_what_it_is_about(gate: str) -> None:
    words = GATES[gate].__doc__
    assert words
    assert words.splitlines()[0].endswith((".", ":"))


def test_refusals_are_sentences_with_a_figure_or_a_name() -> None:
    for gate, cases in CASES.items():
        for case in cases:
            if case.kind is Kind.BLOCKS:
                assert case.figures, gate
