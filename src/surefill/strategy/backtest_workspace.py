"""The workspace of a backtest, as the configuration describes it."""

from __future__ import annotations

from collections.abc import Mapping

from surefill.config import Settings, config_hash, instrument_of, opening_of
from surefill.domain.inputs import DefineInstrument
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import ConfigError
from surefill.market.series import BarSeries


def in_workspace(settings: Settings, workspace_id: str) -> Settings:
    """The same settings for another workspace."""
    workspace = settings.workspace.model_copy(update={"id": workspace_id})
    return settings.model_copy(update={"workspace": workspace})


def open_for_backtest(writer: WorkspaceWriter, settings: Settings, series: Mapping[str, BarSeries]) -> None:
    """Open the workspace and define its instruments right before the first bar, unless that was done before.

    Raises ConfigError where it was, with other settings.
    """
    book = writer.state.book
    if book.workspace_id:
        if book.config_hash != config_hash(settings):
            raise ConfigError(
                f"workspace {writer.workspace_id} of that journal is a backtest with other settings: name another"
                " --journal",
                key="journal.path",
            )
        return
    before_ns = min(bars.open_ns[0] for bars in series.values() if len(bars)) - 1
    writer.feed(opening_of(settings, before_ns))
    for symbol in series:
        writer.feed(DefineInstrument(before_ns, instrument_of(settings, symbol)))
    writer.flush()
