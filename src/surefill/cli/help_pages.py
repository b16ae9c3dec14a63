"""How help is written: plain text. Boxes and colours would take longer to load than all commands together."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class Commands(TyperGroup):
    """A group of commands whose help shows each one's first sentences whole."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """See typer; its own would cut them off."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, (each.help or "").partition("\n\n")[0]) for name, each in commands if each and not each.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
