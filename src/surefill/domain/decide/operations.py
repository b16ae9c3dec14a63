"""Deciding on what people and the shell do to a workspace: open, configure, compare, resolve, reset."""

from __future__ import annotations

from surefill.domain.decide import dust, exits, resting, sessions
from surefill.domain.decide.fills import trim_reductions
from surefill.domain.decide.kills import halt
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify
from surefill.domain.events import (
    BuildChanged,
    InstrumentDefined,
    OrderCanceled,
    OrderResolved,
    PositionAdjusted,
    PositionsCompared,
    ProfileSet,
    WorkspaceOpened,
    WorkspaceReset,
)
from surefill.domain.gates import GATES, RECHECKS
from surefill.domain.inputs import (
    ComparePositions,
    DefineInstrument,
    Halt,
    OpenWorkspace,
    ResetWorkspace,
    ResolveOrder,
    SetProfile,
)
from surefill.domain.instrument import Instrument
from surefill.domain.profile import Profile
from surefill.errors import ConfigError, InputError
from surefill.rules.codes import DriftBand, OrdEvent, OrdStatus
from surefill.rules.transitions import next_status
from surefill.units import DECIMALS_MAX, PPB

MODES = ("paper", "dry_run", "live", "backtest")
_ENDS = {
    int(OrdStatus.CANCELED): int(OrdEvent.CANCEL),
    int(OrdStatus.REJECTED): int(OrdEvent.REJECT),
    int(OrdStatus.EXPIRED): int(OrdEvent.EXPIRE),
}


def open_workspace(this: Step, item: OpenWorkspace) -> None:
    """Begin a workspace; asked for again with the same identity it changes nothing."""
    book = this.book
    if book.workspace_id:
        _same_identity(this, item)
        return
    if not item.workspace_id or not item.currency or not 0 <= item.money_decimals <= DECIMALS_MAX:
        raise ConfigError(
            f"a workspace needs a name, a currency and 0 to {DECIMALS_MAX} money decimals, not {item.workspace_id!r},"
            f" {item.currency!r} and {item.money_decimals}"
        )
    if item.mode not in MODES:
        raise ConfigError(f"mode {item.mode!r} is not one of {', '.join(MODES)}", mode=item.mode)
    _known_gates(item.profile)
    this.emit(
        WorkspaceOpened(
            item.ts_ns,
            "",
            0,
            item.workspace_id,
            item.mode,
            item.venue,
            item.account,
            item.currency,
            item.money_decimals,
            item.starting_cash,
            item.profile,
            item.config_hash,
            item.build,
        )
    )


def _same_identity(this: Step, item: OpenWorkspace) -> None:
    book = this.book
    for name in ("workspace_id", "mode", "venue", "account", "currency", "money_decimals"):
        ours, asked = getattr(book, name), getattr(item, name)
        if ours != asked:
            raise ConfigError(
                f"workspace {book.workspace_id} has {name} {ours!r} for ever, the configuration says {asked!r}:"
                " open a new workspace for that",
                name=name,
            )
    _accepted_changes(this, item)
    if item.build not in ("", book.build):
        this.emit(BuildChanged(item.ts_ns, "", 0, item.build))
    if (item.profile, item.config_hash) != (book.profile, book.config_hash):
        set_profile(this, SetProfile(item.ts_ns, item.profile, item.config_hash))


def _accepted_changes(this: Step, item: OpenWorkspace) -> None:
    """Real money does not go on under other rules, or another program, without a person's word."""
    book = this.book
    if book.mode != "live" or item.accept_changes:
        return
    pairs = {
        "profile": (book.profile, item.profile),
        "configuration": (book.config_hash, item.config_hash),
        "build": (book.build, item.build),
    }
    changed = [name for name, (before, now) in pairs.items() if before != now]
    if not changed:
        return
    told = ", ".join(f"{name} {pairs[name][0]} is now {pairs[name][1]}" for name in changed if name != "profile")
    raise ConfigError(
        f"workspace {book.workspace_id} is live, and not what it was when it stopped ({', '.join(changed)} changed"
        f"{': ' if told else ''}{told}): see what has changed, then start it with --accept-changes",
        code="CHANGES_NOT_ACCEPTED",
        changed=", ".join(changed),
    )


def _known_gates(profile: Profile) -> None:
    for kind, names, known in (("gates", profile.gates, GATES), ("rechecks", profile.rechecks, RECHECKS)):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ConfigError(
                f"profile {profile.name} names unknown {kind} {', '.join(unknown)}; there are"
                f" {', '.join(sorted(known))}"
            )


def set_profile(this: Step, item: SetProfile) -> None:
    """New gates or limits, with the next version number."""
    _known_gates(item.profile)
    calendar, version = this.book.profile.calendar, this.book.limits_version + 1
    this.emit(ProfileSet(item.ts_ns, "", 0, item.profile, item.config_hash, version))
    resting.follow_profile(this)
    if item.profile.calendar != calendar:
        sessions.change_calendar(this)


def define_instrument(this: Step, item: DefineInstrument) -> None:
    """Make an instrument known; its quanta never change, its dated terms may."""
    new, book = item.instrument, this.book
    _sound(new)
    if new.currency != book.currency:
        raise InputError(
            f"{new.instrument_id} trades in {new.currency}, workspace {book.workspace_id} keeps {book.currency}:"
            " conversion is not built, use a workspace of that currency",
            code="CURRENCY_MISMATCH",
        )
    old = book.instruments.get(new.instrument_id)
    if old == new:
        return
    held = book.positions.get(new.instrument_id)
    if held is not None and held.instrument_id != new.instrument_id:
        raise InputError(
            f"{new.instrument_id} is the name of a position of {held.instrument_id} (bucket {held.bucket}):"
            " use another instrument id",
            code="NAME_TAKEN",
        )
    if old is not None and _quanta(old) != _quanta(new):
        raise InputError(
            f"{new.instrument_id} has other quanta than before: they are fixed for ever, use a new instrument id",
            code="QUANTA_CHANGED",
        )
    this.emit(InstrumentDefined(item.ts_ns, "", 0, new))


def _sound(instrument: Instrument) -> None:
    dates = [terms.effective_ns for terms in instrument.terms]
    if not dates or dates != sorted(set(dates)):
        raise InputError(
            f"{instrument.instrument_id}: its terms must be dated in ascending order", code="INVALID_TERMS"
        )
    if any(terms.tick < 1 or terms.lot < 1 for terms in instrument.terms) or instrument.money_per_notional < 1:
        raise InputError(f"{instrument.instrument_id}: tick, lot and scale must be at least 1", code="INVALID_TERMS")


def _quanta(instrument: Instrument) -> tuple[object, ...]:
    return (
        instrument.currency,
        instrument.price_decimals,
        instrument.qty_decimals,
        instrument.money_per_notional,
    )


def compare_positions(this: Step, item: ComparePositions) -> None:
    """Lay the venue's positions beside ours. A difference halts and pages, unless a band of drift says otherwise."""
    ours = {key: position.qty for key, position in this.state.open_positions()}
    theirs = {key: qty for key, qty in item.quantities.items() if qty}
    differences = {
        key: (ours.get(key, 0), theirs.get(key, 0))
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key, 0) != theirs.get(key, 0)
    }
    bands: dict[str, int] = {
        key: drift_band(a, b, this.book.profile.limits.drift_bands_ppb) for key, (a, b) in differences.items()
    }
    lesser = {key: band for key, band in bands.items() if band < DriftBand.HALT}
    this.emit(PositionsCompared(item.ts_ns, "", 0, differences, lesser))
    for key, band in lesser.items():
        if band == DriftBand.CORRECT:
            _adjust(this, key, differences[key][1])
    told = [key for key, band in bands.items() if band >= DriftBand.ALERT]
    if told:
        text = ", ".join(f"{key}: ours {differences[key][0]}, venue {differences[key][1]}" for key in told)
        if len(lesser) < len(bands):
            halt(this, Halt(item.ts_ns, "POSITION_DRIFT", text, "surefill"))
        this.ask(Notify("POSITION_DRIFT", text, page=True))


def drift_band(ours: int, theirs: int, bands_ppb: tuple[int, int, int, int]) -> DriftBand:
    """How far the venue's quantity is from ours, as a share of the venue's. One side without the other halts."""
    if ours * theirs <= 0:
        return DriftBand.HALT
    for band, limit_ppb in zip(DriftBand, bands_ppb, strict=False):
        if abs(ours - theirs) * PPB < limit_ppb * abs(theirs):
            return band
    return DriftBand.HALT


def _adjust(this: Step, key: str, qty: int) -> None:
    position = this.book.positions[key]
    cost = position.cost * qty // position.qty
    per_notional = this.book.instruments[position.instrument_id].money_per_notional
    realised = (cost - position.cost) * per_notional
    reason = f"the venue holds {qty}, our book held {position.qty}"
    this.emit(PositionAdjusted(this.ts_ns, position.correlation_id, this.book.seq, key, qty, cost, realised, reason))
    trim_reductions(this, key)
    dust.settle(this, key)


def resolve_order(this: Step, item: ResolveOrder) -> None:
    """A named operator ends, on evidence from elsewhere, what is UNKNOWN, not found, or over with fills missing."""
    order = this.book.orders.get(item.cl_ord_id)
    if order is None or not (order.status == OrdStatus.UNKNOWN or order.absent_count or order.end_status):
        raise InputError(f"{item.cl_ord_id} is not an UNKNOWN order", code="NOT_UNKNOWN")
    event = _ENDS.get(item.status)
    if event is None or next_status(order.status, event) != item.status:
        raise InputError("an operator may end an order without fills only; fills come from the venue", code="NOT_FINAL")
    if not item.by or not item.evidence:
        raise InputError("say who decides and on what evidence", code="EVIDENCE_REQUIRED")
    this.emit(OrderResolved(item.ts_ns, order.correlation_id, 0, item.cl_ord_id, item.status, item.by, item.evidence))
    position = this.book.positions.get(order.position)
    if position is not None:
        exits.pursue(this, order.position, position)
        resting.release(this, order.position)
        resting.keep(this, order.position)
    dust.settle(this, order.position)


def reset(this: Step, item: ResetWorkspace) -> None:
    """Start a paper workspace over; its history stays in the journal."""
    if this.book.mode not in ("paper", "backtest"):
        raise InputError(f"a {this.book.mode} workspace cannot be reset", code="RESET_NOT_ALLOWED")
    for cl_ord_id, order in list(this.book.orders.items()):
        this.emit(OrderCanceled(item.ts_ns, order.correlation_id, 0, cl_ord_id, "the workspace was reset"))
    this.emit(WorkspaceReset(item.ts_ns, "", 0, item.starting_cash, item.by))
