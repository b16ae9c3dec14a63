"""Every exception that surefill raises, in one tree.

::

    SurefillError
    ├── LocalError                  we, or whoever called us, erred: fix the input or the setup
    │   ├── InputError              a value at a door is wrong (carries a code and the values)
    │   ├── ConfigError             a setting is unknown, missing or contradicts another
    │   └── StrategyError           a strategy cannot be loaded, raised, or decided what cannot be
    ├── RemoteError                 the other side erred, or did not answer
    │   ├── VenueRejected           proof that the request did not take effect
    │   └── VenueOutcomeUnknown     anything else: a time-out, a 5xx, a lost connection, an unreadable answer
    ├── JournalError                the truth could not be read or written
    │   ├── JournalForeign          the file is not a surefill journal
    │   ├── JournalNewer            the file was written by a newer schema than this program knows
    │   ├── JournalLocked           another writer holds the journal or the workspace
    │   ├── JournalCorrupt          the content does not verify (a row was edited, lost, added or cut off)
    │   ├── StaleWriter             a compare-and-set failed: another writer has a later epoch or sequence
    │   ├── KeyTaken                an idempotency key is already claimed in this workspace and mode
    │   ├── AppendFailed            the commit failed or its outcome is not known: the workspace must halt
    │   └── JournalClosed           the journal was closed, or stopped itself after a failed append: reopen it
    ├── WorkspaceHalted             the workspace takes no entries until a person resumes it
    └── InvariantBreach             a rule that can never be false was false: halt and page

Refusals are not here: a rejected intent is data (`surefill.domain.refusals`), not an exception.
"""

from __future__ import annotations


class SurefillError(Exception):
    """Root of the tree. `code` is stable and machine-readable, the message is for a person."""

    code = "SUREFILL_ERROR"

    def __init__(self, message: str, *, code: str | None = None, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values
        if code is not None:
            self.code = code


class LocalError(SurefillError):
    """We, or whoever called us, erred."""

    code = "LOCAL_ERROR"


class InputError(LocalError):
    """A value at a door is wrong; nothing was journaled and nothing was sent."""

    code = "INVALID_INPUT"


class ConfigError(LocalError):
    """A setting is unknown, missing, or contradicts another."""

    code = "INVALID_CONFIG"


class StrategyError(LocalError):
    """A strategy cannot be loaded; or its own code raised, or decided what cannot be: it made no intents."""

    code = "STRATEGY_FAILED"


class RemoteError(SurefillError):
    """The other side erred, or did not answer."""

    code = "REMOTE_ERROR"


class VenueRejected(RemoteError):
    """Proof from the venue that the request did not take effect."""

    code = "VENUE_REJECTED"


class VenueOutcomeUnknown(RemoteError):
    """The request may or may not have taken effect; only evidence may decide."""

    code = "OUTCOME_UNKNOWN"


class JournalError(SurefillError):
    """The journal could not be read or written."""

    code = "JOURNAL_ERROR"


class JournalForeign(JournalError):
    """The file is not a surefill journal."""

    code = "JOURNAL_FOREIGN"


class JournalNewer(JournalError):
    """The file's schema is newer than this program."""

    code = "JOURNAL_NEWER"


class JournalLocked(JournalError):
    """Another writer holds the journal."""

    code = "JOURNAL_LOCKED"


class JournalCorrupt(JournalError):
    """The content does not verify."""

    code = "JOURNAL_CORRUPT"


class StaleWriter(JournalError):
    """Another writer has a later epoch, or has appended since."""

    code = "STALE_WRITER"


class KeyTaken(JournalError):
    """The idempotency key is already claimed in this workspace and mode."""

    code = "KEY_TAKEN"


class AppendFailed(JournalError):
    """The commit failed, or nobody knows whether it did: halt, reopen, refold."""

    code = "APPEND_FAILED"


class JournalClosed(JournalError):
    """The journal was closed, or stopped itself after a failed append: reopen it first."""

    code = "JOURNAL_CLOSED"


class WorkspaceHalted(SurefillError):
    """The workspace takes no entries until a person resumes it."""

    code = "HALTED"


class InvariantBreach(SurefillError):
    """A rule that can never be false was false."""

    code = "INVARIANT_BREACH"
