"""Programs with one rule taken out each, and the tests that must notice: the table behind `scripts/mutations`.

A row that survives is a test that is missing. A row whose text is not found any more (or is found twice) is an error:
whoever rewrites a rule rewrites its row.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """`rule`: an invariant's number in the safety case, or a venue. `text` stands once in `file` (below src/surefill).

    Each of `tests` must fail where `becomes` stands instead.
    """

    rule: str
    what: str
    file: str
    text: str
    becomes: str
    tests: tuple[str, ...]


BOOKS = "tests/domain/test_operations.py"
CODES = "tests/venues/ccxt/test_codes.py"
FILLS = "tests/domain/test_fills.py"
FLIGHT = "tests/domain/test_exits_in_flight.py"
JOURNAL = "tests/journal/test_conformance.py::TestSqliteJournal"
SAFETY = "tests/safety/test_promises.py"
UNKNOWN = "tests/domain/test_unknown.py"
VENUE = "tests/engine/test_engine_venue.py"

#: The four that the suite kills by itself, each time it runs.
NAMED = (
    Mutant(
        "1",
        "an order goes to its venue as it is decided on, before that is durable",
        "engine/writer.py",
        "        venue = self.in_process\n        if venue is not None:\n            if isinstance(",
        "        venue = cast(InProcessVenue, self.venue)\n        if venue is not None:\n            if isinstance(",
        (
            f"{VENUE}::test_order_is_durable_before_it_is_sent",
            f"{VENUE}::test_order_whose_commit_failed_is_never_sent",
        ),
    ),
    Mutant(
        "3",
        "an order in flight at the start is sent again, and nobody asks for it first",
        "domain/decide/timers.py",
        "        this.ask(QueryOrder(order.request))\n    for key",
        "        this.ask(SubmitOrder(order.request))\n    for key",
        (f"{VENUE}::test_start_asks_for_what_was_in_flight_and_never_sends_it_again",),
    ),
    Mutant(
        "6",
        "an execution that is booked already is booked again",
        "domain/decide/reports.py",
        "    if report.exec_id in order.exec_ids:\n        return",
        "    if not report.exec_id:\n        return",
        (f"{FILLS}::test_duplicate_fill_is_journaled_raw_and_booked_once",),
    ),
    Mutant(
        "15",
        "a writer whose epoch is over appends on",
        "journal/sqlite_append.py",
        "WHERE stream = ? AND epoch = ? AND next_seq = ? AND head_hash = ?",
        "WHERE stream = ? AND epoch >= ? AND next_seq = ? AND head_hash = ?",
        (f"{JOURNAL}::test_append_by_a_superseded_writer_is_refused_alone",),
    ),
)

INVARIANTS = (
    Mutant(
        "2",
        "a client order id derives from nothing that counts on",
        "domain/ids.py",
        'f"{workspace_id}|{origin}|{leg}"',
        'f"{workspace_id}|{origin}"',
        ("tests/domain/test_ids.py",),
    ),
    Mutant(
        "2",
        "a repeated key is a new intent",
        "engine/writer.py",
        "        if claim.digest == digest:\n            return receipt_of(Verdict.DUPLICATE",
        "        if claim.digest == digest:\n            return None\n            return receipt_of(Verdict.DUPLICATE",
        ("tests/intake/test_intents_idempotency.py::test_same_intent_from_64_threads_is_executed_once",),
    ),
    Mutant(
        "3",
        "no answer is a rejection",
        "engine/answers.py",
        "    return OutcomeUnknown(ts_ns, cl_ord_id, outcome.reason)",
        "    return VenueReports(ts_ns, (VenueReport(cl_ord_id, ExecType.REJECTED),))",
        (f"{VENUE}::test_outcome_of_sending_row",),
    ),
    Mutant(
        "3",
        "an adapter that raises has rejected",
        "engine/outbox.py",
        "        return Unknown(told(error))",
        "        return Rejected(told(error), told(error))",
        (f"{VENUE}::test_outcome_of_sending_row",),
    ),
    Mutant(
        "3",
        "the first absence is proof",
        "domain/decide/reports.py",
        "    if past and count >= limits.absence_queries:",
        "    if past:",
        (f"{UNKNOWN}::test_absence_past_the_horizon_is_proof_with_the_last_of_several_spaced_queries",),
    ),
    Mutant(
        "3",
        "absence is proof where the venue has no horizon",
        "domain/decide/reports.py",
        "    past = limits.absence_horizon_ns > 0 and this.ts_ns > horizon_ns",
        "    past = this.ts_ns > horizon_ns",
        (f"{UNKNOWN}::test_absence_without_a_horizon_is_never_proof",),
    ),
    Mutant(
        "3",
        "queries in a burst count each",
        "domain/decide/reports.py",
        " and this.ts_ns - order.absent_ns >= limits.query_spacing_ns:\n        count",
        ":\n        count",
        (f"{UNKNOWN}::test_absence_in_a_burst_of_queries_counts_once",),
    ),
    Mutant(
        "3",
        "a failed query is not made again",
        "domain/decide/reports.py",
        "    order = this.book.orders.get(item.cl_ord_id)\n    if order is not None:\n        _ask_again(this, order)",
        "    this.book.orders.get(item.cl_ord_id)",
        (f"{UNKNOWN}::test_failed_query_is_no_answer_and_is_made_again",),
    ),
    Mutant(
        "3",
        "an operator needs no evidence",
        "domain/decide/operations.py",
        "    if not item.by or not item.evidence:",
        "    if not item.by:",
        (f"{UNKNOWN}::test_operator_is_refused",),
    ),
    Mutant(
        "4",
        "an end does not wait for its fills",
        "domain/decide/reports.py",
        "    if end_qty > order.cum_qty:\n        known",
        "    if False:\n        known",
        (f"{FILLS}::test_end_with_fills_missing_holds_the_order_open_until_they_arrive",),
    ),
    Mutant(
        "4",
        "a late fill calls nobody",
        "domain/decide/fills.py",
        "    if late or cum_qty > request.order_qty:",
        "    if cum_qty > request.order_qty:",
        (f"{FILLS}::test_late_fill_is_booked_alarmed_and_halts_the_symbol_alone",),
    ),
    Mutant(
        "4",
        "a refusal ends an order that has traded",
        "rules/transitions.py",
        "OrdEvent.REJECT: Anomaly.ILLEGAL,  # a canceled order had been live",
        "OrdEvent.REJECT: OrdStatus.REJECTED,  # a canceled order had been live",
        ("tests/rules/test_transitions.py", "tests/properties/test_transitions.py"),
    ),
    Mutant(
        "5",
        "an overfill halts nothing",
        "domain/decide/fills.py",
        "    if late or cum_qty > request.order_qty:",
        "    if late:",
        (f"{FILLS}::test_overfill_is_booked_alarmed_and_halts_the_symbol",),
    ),
    Mutant(
        "5",
        "what is filled is the last fill alone",
        "domain/decide/fills.py",
        "    cum_qty = order.cum_qty + report.last_qty",
        "    cum_qty = report.last_qty",
        (f"{FILLS}::test_fills_move_order_position_and_cash_together",),
    ),
    Mutant(
        "6",
        "an execution of another order is booked for this one too",
        "domain/decide/reports.py",
        "    if report.exec_id in this.state.executions.get(order.request.instrument_id, ()):\n        park",
        "    if not report.exec_id:\n        park",
        (f"{SAFETY}::test_execution_reported_for_two_orders_is_booked_once",),
    ),
    Mutant(
        "6",
        "an execution made elsewhere counts each time it is told",
        "domain/decide/elsewhere.py",
        "    if report.exec_id in state.executions.get(report.instrument_id, ()):\n        return BOOKED",
        "    if not report.exec_id:\n        return BOOKED",
        ("tests/domain/test_elsewhere.py::test_execution_made_elsewhere_counts_once",),
    ),
    Mutant(
        "7",
        "a difference to the venue halts nothing",
        "domain/decide/operations.py",
        "        if len(lesser) < len(bands):\n",
        "        if not bands:\n",
        (f"{BOOKS}::test_comparison_is_journaled_and_a_difference_halts_and_pages",),
    ),
    Mutant(
        "7",
        "a position that one side alone has is a small drift",
        "domain/decide/operations.py",
        "    if ours * theirs <= 0:\n        return DriftBand.HALT",
        "    if ours * theirs <= 0:\n        return DriftBand.LOG",
        (f"{BOOKS}::test_drift_is_judged_by_its_band",),
    ),
    Mutant(
        "7",
        "a close makes money",
        "rules/position.py",
        "    return after_qty, opened, opened - traded - cost",
        "    return after_qty, opened, opened - traded - cost + 1",
        ("tests/properties/test_position.py::test_apply_fill_any_sequence_conserves_money",),
    ),
    Mutant(
        "7",
        "intents are let in before the books are compared",
        "engine/desk.py",
        "isinstance(item, SubmitIntent) and not self.accepting",
        "isinstance(item, SubmitIntent) and self._overrun",
        ("tests/engine/test_engine_turns.py::test_intents_are_not_let_in_before_the_books_are_compared",),
    ),
    Mutant(
        "8",
        "an order of unknown fate promises no cash",
        "domain/gates/account.py",
        "        if request.side > 0 and not request.reduce_only:\n            px",
        "        if request.side > 0 and not request.reduce_only and order.status != 2:\n            px",
        (f"{SAFETY}::test_purchase_of_unknown_fate_keeps_its_cash_promised_in_full",),
    ),
    Mutant(
        "8",
        "what works elsewhere is no exposure",
        "domain/valuation.py",
        "    for other in book.external_orders.values():",
        "    for other in ():",
        ("tests/domain/test_elsewhere.py::test_order_made_elsewhere_counts_until_it_is_gone_and_pages_once",),
    ),
    Mutant(
        "9",
        "a decision cites the first version of the limits for ever",
        "domain/decide/intents.py",
        "            intent,\n            number,\n            book.limits_version,\n            given_px,",
        "            intent,\n            number,\n            1,\n            given_px,",
        (f"{BOOKS}::test_profile_versions_count_up_and_decisions_cite_theirs",),
    ),
    Mutant(
        "10",
        "a switch that was thrown takes back nothing",
        "domain/decide/kills.py",
        "    if item.level >= KillLevel.SUSPEND:\n",
        "    if item.level > KillLevel.SHUTDOWN:\n",
        (f"{BOOKS}::test_halt_takes_back_working_entries_and_leaves_reductions_alone",),
    ),
    Mutant(
        "10",
        "the outbox does not look again before the wire",
        "engine/outbox.py",
        "order is None or order.cancel_pending:",
        "order is None:",
        (f"{SAFETY}::test_halt_of_the_same_turn_keeps_an_entry_from_the_venue",),
    ),
    Mutant(
        "10",
        "a switch above the workspaces waits for them to hear",
        "engine/outbox.py",
        "    if kill is not None and not request.reduce_only:",
        "    if kill is not None and order.cancel_ns:",
        (
            "tests/engine/test_control_stream.py"
            "::test_order_past_the_gates_is_kept_from_the_wire_before_its_workspace_has_heard",
        ),
    ),
    Mutant(
        "10",
        "a halt keeps a reduction back too",
        "engine/outbox.py",
        "    if kill is not None and not request.reduce_only:",
        "    if kill is not None:",
        ("tests/engine/test_control_stream.py::test_switch_above_lets_out_what_only_reduces",),
    ),
    Mutant(
        "11",
        "the rest of an entry is all of it again",
        "domain/decide/retries.py",
        "    return max(0, request.order_qty - order.cum_qty)",
        "    return request.order_qty",
        (
            "tests/domain/test_retries.py"
            "::test_rest_of_a_rest_goes_on_until_the_attempts_are_used_and_never_beyond_the_intent",
        ),
    ),
    Mutant(
        "12",
        "a window leaves out one of its ends",
        "engine/budget.py",
        "        while sent and now_ns - sent[0] > self._window_ns:",
        "        while sent and now_ns - sent[0] >= self._window_ns:",
        ("tests/engine/test_budget.py::test_window_has_room_again_right_after_its_length",),
    ),
    Mutant(
        "12",
        "a window counts nothing that leaves",
        "engine/budget.py",
        "        self._sent.append(now_ns)",
        "        self._sent.clear()",
        ("tests/engine/test_budget.py::test_no_window_holds_more_than_its_limit_and_entries_leave_the_reserve",),
    ),
    Mutant(
        "12",
        "entries use the reserve",
        "engine/budget.py",
        "self._count if urgent else self._open_count",
        "self._count",
        ("tests/engine/test_budget.py::test_reserve_lets_an_exit_out_where_an_entry_must_wait",),
    ),
    Mutant(
        "12",
        "an exit waits with the entries",
        "engine/outbox.py",
        "urgent=request.reduce_only, within_ns",
        "urgent=False, within_ns",
        ("tests/engine/test_outbox_budget.py::test_position_is_closed_by_the_reserve",),
    ),
    Mutant(
        "13",
        "a decision changes the state beside its events",
        "domain/decide/reports.py",
        "    this.ask(QueryOrder(order.request))\n    if order.paged",
        "    this.ask(QueryOrder(order.request))\n    order.absent_ns += 1\n    if order.paged",
        (f"{UNKNOWN}::test_unresolved_order_pages_once_when_its_time_is_up",),
    ),
    Mutant(
        "13",
        "what is derived is not derived again from a snapshot",
        "domain/state.py",
        "        for order in (*self.book.orders.values(), *self.book.done.values()):",
        "        for order in self.book.orders.values():",
        ("tests/domain/test_state.py::test_restored_snapshot_is_the_state_down_to_its_indexes",),
    ),
    Mutant(
        "13",
        "a snapshot of another fold is used",
        "journal/sqlite.py",
        "AND n.evolve_version = ? ORDER BY",
        "AND n.evolve_version <= ? ORDER BY",
        (f"{JOURNAL}::test_load_snapshot_gives_the_latest_of_its_version",),
    ),
    Mutant(
        "14",
        "the chain leaves the payload out",
        "journal/chain.py",
        "    return sha256(_join((_EVENT_DOMAIN, head, _pack_place(seq, epoch), payload))).digest()",
        "    return sha256(_join((_EVENT_DOMAIN, head, _pack_place(seq, epoch)))).digest()",
        ("tests/journal/test_chain.py",),
    ),
    Mutant(
        "14",
        "a reader does not check what it reads",
        "journal/chain.py",
        "        if head != its_hash or its_seq != seq or its_epoch < epoch:",
        "        if its_seq != seq or its_epoch < epoch:",
        ("tests/journal/test_chain.py",),
    ),
    Mutant(
        "15",
        "an engine with nothing to write does not look whether it was superseded",
        "engine/engine.py",
        "head.epoch > lease.epoch:",
        "head.epoch < lease.epoch:",
        ("tests/engine/test_engine_faults.py::test_idle_engine_finds_out_that_another_writes_its_workspace",),
    ),
    Mutant(
        "15",
        "the epoch does not rise with a new writer",
        "journal/sqlite.py",
        "DO UPDATE SET epoch = epoch + 1",
        "DO UPDATE SET epoch = epoch",
        (f"{JOURNAL}::test_open_stream_again_raises_the_epoch_and_keeps_the_place",),
    ),
    Mutant(
        "15",
        "an order past its deadline is sent",
        "engine/outbox.py",
        "    if now_ns > request.send_by_ns:",
        "    if not request.send_by_ns:",
        (f"{VENUE}::test_order_past_its_deadline_is_not_sent",),
    ),
    Mutant(
        "15",
        "a second process may write",
        "journal/file_lock.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        ("tests/journal/test_file_lock.py::test_second_process_is_refused_and_told_who_holds_the_journal",),
    ),
    Mutant(
        "16",
        "a caller hears before the commit",
        "engine/writer.py",
        "        ticket.order = order\n        self._waiting.append(ticket)",
        "        ticket.order = order\n"
        "        ticket.receipt = receipt_of(Verdict.ACCEPTED, ticket.intent_id, order.created_ns, order)\n"
        "        self._waiting.append(ticket)",
        ("tests/engine/test_writer.py::test_ticket_has_no_receipt_before_the_commit",),
    ),
    Mutant(
        "16",
        "a commit does not wait for the disk",
        "journal/sqlite.py",
        'unsafe_synchronous: str = "FULL"',
        'unsafe_synchronous: str = "NORMAL"',
        ("tests/journal/test_sqlite_log.py::test_acknowledged_append_is_synced_before_it_returns",),
    ),
    Mutant(
        "17",
        "a secret shows itself",
        "secret.py",
        "        return \"Secret('***')\" if self._text else \"Secret('')\"",
        "        return self._text",
        ("tests/test_secret.py::test_secret_is_shown_by_no_text_of_it_or_of_what_holds_it",),
    ),
    Mutant(
        "17",
        "settings are listed with their secrets",
        "config/listing.py",
        'MASK if value not in (None, "", []) and is_secret(keys) else as_text(value)',
        "as_text(value)",
        ("tests/config/test_listing.py::test_listing_masks_what_is_secret",),
    ),
    Mutant(
        "18",
        "a paper workspace may name a real venue",
        "config/core.py",
        '    if mode in SIMULATED and venue != "paper":',
        '    if mode not in SIMULATED and venue == "simulated":',
        ("tests/config/test_venues.py::test_mode_and_venue_must_belong_together",),
    ),
    Mutant(
        "19",
        "a price finer than the instrument's is rounded",
        "units.py",
        "        if divisor == 0 or digits % divisor:",
        "        if divisor == 0:",
        ("tests/properties/test_units.py::test_to_quanta_any_float_is_its_shortest_text_or_refused",),
    ),
    Mutant(
        "20",
        "a fill is not protected in its step",
        "domain/decide/fills.py",
        "        protect(this, order, report.last_px, first=first)",
        "        pass",
        ("tests/domain/test_exits.py::test_protection_begins_with_the_first_fill_and_follows_every_other",),
    ),
    Mutant(
        "20",
        "a position that stays naked calls nobody",
        "domain/decide/resting.py",
        '    this.ask(Notify("POSITION_NAKED", detail, page=True))',
        "    assert detail",
        (
            "tests/domain/test_resting.py"
            "::test_position_is_naked_until_the_venue_confirms_and_somebody_is_called_when_that_takes_long",
        ),
    ),
    Mutant(
        "20",
        "a position without a price is not blind",
        "engine/blindness.py",
        "        if now_ns - since_ns >= after_ns:",
        "        if quote is not None and now_ns - since_ns >= after_ns:",
        ("tests/engine/test_blindness.py::test_position_is_blind_when_its_session_is_on_and_no_price_comes",),
    ),
    Mutant(
        "21",
        "an order that stays unresolved calls nobody",
        "domain/decide/reports.py",
        "    if waited_ns >= this.book.profile.limits.unknown_page_ns:",
        "    if waited_ns < 0:",
        (f"{UNKNOWN}::test_unresolved_order_pages_once_when_its_time_is_up",),
    ),
    Mutant(
        "21",
        "an UNKNOWN order is asked for once",
        "domain/decide/reports.py",
        "    else:\n        _ask_again(this, order)\n\n\ndef _lost",
        "    else:\n        pass\n\n\ndef _lost",
        (f"{UNKNOWN}::test_absence_that_is_no_proof_is_asked_for_again_after_a_pause",),
    ),
    Mutant(
        "22",
        "two closes may sum to more than there is",
        "domain/gates/account.py",
        "    if not working or working + q.qty <= abs(held):",
        "    if not working or q.qty <= abs(held):",
        ("tests/domain/test_gates.py::test_reductions_sum_to_at_most_the_position",),
    ),
    Mutant(
        "22",
        "a position that shrinks keeps all that reduces it",
        "domain/decide/fills.py",
        "    trim_reductions(this, order.position)\n",
        "",
        (f"{FLIGHT}::test_reductions_that_exceed_a_shrunken_position_are_taken_back",),
    ),
    Mutant(
        "22",
        "an exit does not wait for other reductions",
        "domain/decide/exits.py",
        "    if not this.state.reducing.get(key):  # one",
        "    if True:  # one",
        (f"{FLIGHT}::test_exit_takes_back_other_reductions_and_waits_for_them",),
    ),
)

VENUES = (
    Mutant(
        "Binance",
        "-1007 is a refusal",
        "venues/ccxt/binance/codes.py",
        '"-1007": Meaning.UNKNOWN',
        '"-1007": Meaning.REFUSED',
        (f"{CODES}::test_answer_judged_proves_only_what_its_code_says",),
    ),
    Mutant(
        "Binance",
        "spot's “Duplicate order sent.” is a refusal",
        "venues/ccxt/binance/codes.py",
        '        if code == "-2010" and text.startswith(DUPLICATE_TEXT):\n'
        "            return Verdict(Meaning.DUPLICATE, code, text)\n",
        "",
        (f"{CODES}::test_answer_judged_proves_only_what_its_code_says",),
    ),
    Mutant(
        "Binance",
        "every 503 of USD-M is a failure",
        "venues/ccxt/binance/codes.py",
        "answer.status == 503 and (code == OVERLOADED or text in USDM_FAILED)",
        "answer.status == 503",
        ("tests/venues/ccxt/test_raw_failures.py::test_503_means_what_its_market_and_text_say",),
    ),
    Mutant(
        "Binance",
        "a code that is not in the table is a refusal",
        "venues/ccxt/verdict.py",
        "    meaning = table.get(code, Meaning.UNKNOWN)",
        "    meaning = table.get(code, Meaning.REFUSED)",
        (f"{CODES}::test_answer_judged_proves_only_what_its_code_says",),
    ),
    Mutant(
        "Binance",
        "-2011 on a cancel says that the order is over",
        "venues/ccxt/binance/codes.py",
        '"-2011": Meaning.ABSENT',
        '"-2011": Meaning.REFUSED',
        (f"{CODES}::test_answer_judged_proves_only_what_its_code_says",),
    ),
    Mutant(
        "Kite",
        "HTTP 400 “timed out” is a refusal",
        "venues/kite/codes.py",
        "    if (status, error_type) in DEFINITIVE and not doubtful:",
        "    if (status, error_type) in DEFINITIVE:",
        ("tests/venues/kite/test_codes.py::test_words_of_a_time_out_take_the_proof_away",),
    ),
    Mutant(
        "Kite",
        "429 is the lost connection that its type says",
        "venues/kite/codes.py",
        "    if status == TOO_MANY_REQUESTS:",
        "    if status == TOO_MANY_REQUESTS and not error_type:",
        ("tests/venues/kite/test_codes.py::test_too_many_requests_is_proof_though_its_type_is_a_network_error",),
    ),
    Mutant(
        "Kite",
        "a server's error is a refusal where its type says so",
        "venues/kite/codes.py",
        "    if (status, error_type) in DEFINITIVE and not doubtful:",
        "    if error_type in {name for _, name in DEFINITIVE} and not doubtful:",
        ("tests/venues/kite/test_codes.py::test_server_error_is_unknown_whatever_its_type",),
    ),
    Mutant(
        "Kite",
        "a status that nobody knows is an end",
        "venues/kite/codes.py",
        "    return ENDED.get(status, Phase.LIVE)",
        "    return ENDED.get(status, Phase.REJECTED)",
        ("tests/venues/kite/test_codes.py::test_status_of_a_living_order_is_live",),
    ),
    Mutant(
        "MT5",
        "10012 is a refusal",
        "venues/mt5/codes.py",
        '10012: ("TIMEOUT", Verdict.UNKNOWN)',
        '10012: ("TIMEOUT", Verdict.REFUSED)',
        ("tests/venues/mt5/test_parts.py::test_codes_that_the_safety_case_calls_definitive_are_refusals",),
    ),
    Mutant(
        "MT5",
        "10031 is a refusal",
        "venues/mt5/codes.py",
        '10031: ("CONNECTION", Verdict.UNKNOWN)',
        '10031: ("CONNECTION", Verdict.REFUSED)',
        ("tests/venues/mt5/test_parts.py::test_codes_that_the_safety_case_calls_definitive_are_refusals",),
    ),
    Mutant(
        "MT5",
        "a code that is not in the table is a refusal",
        "venues/mt5/codes.py",
        '    return CODES.get(retcode, ("", Verdict.UNKNOWN))[1]',
        '    return CODES.get(retcode, ("", Verdict.REFUSED))[1]',
        ("tests/venues/mt5/test_parts.py::test_codes_that_the_safety_case_calls_definitive_are_refusals",),
    ),
)

MUTANTS = NAMED + INVARIANTS + VENUES
