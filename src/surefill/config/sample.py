"""The configuration file that `surefill init` writes: every key with its default and its meaning."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from surefill.config.complaints import holds_many, section_in
from surefill.config.fields import Section
from surefill.config.listing import as_text
from surefill.config.tree import InstrumentSettings, Settings

WIDTH: Final = 110
_COMMENT_AT: Final = 44

_HEAD: Final = """\
# surefill's configuration. Every key may be left out; what stands here is what then holds.
# The environment overrules this file (SUREFILL__EXECUTION__SLIPPAGE_BPS=3), --set overrules both.
# Look at the result with: surefill show-config
"""
_FEES: Final = """\
# What simulated fills cost. For example:
# fees:
#   - {name: brokerage, kind: per_order, amount: 20}
#   - {name: exchange, kind: per_notional, rate_bps: 0.345}
"""
_STRATEGIES: Final = """\
# What `surefill trade` runs. Without symbols: all that the feed has. Without exit: the strategy's own.
strategies:
  - entry: {type: ema_cross}
    risk: {dollars_per_trade: 1000, max_positions: 5}
"""


def sample_file(engine: str | None = None, workspace_id: str = "main") -> str:
    """A configuration with every default written out, for the named profile."""
    given: dict[tuple[str, ...], str] = {("execution", "engine"): engine or "", ("workspace", "id"): workspace_id}
    blocks = [_HEAD]
    for name, field in Settings.model_fields.items():
        inner = section_in(field.annotation)
        if name == "fees":
            blocks.append(_FEES)
        elif name == "strategies":
            blocks.append(_STRATEGIES)
        elif name == "instruments":
            blocks.append(_instruments())
        elif inner is not None:
            blocks.append("\n".join(_section(name, inner, (name,), given, "")) + "\n")
    return "\n".join(blocks)


def _instruments() -> str:
    lines = [*_comment(InstrumentSettings.__doc__, ""), "instruments:", "  default: {}"]
    lines.append("  # SYMBOL:")
    for key, field in InstrumentSettings.model_fields.items():
        lines.append(_noted(f"  #   {key}:", field.description or ""))
    return "\n".join(lines) + "\n"


def _section(
    name: str, section: type[Section], keys: tuple[str, ...], given: dict[tuple[str, ...], str], indent: str
) -> Iterator[str]:
    yield from _comment(section.__doc__, indent)
    yield f"{indent}{name}:"
    deeper = indent + "  "
    for key, field in section.model_fields.items():
        inner = section_in(field.annotation)
        if inner is not None and not holds_many(field.annotation):
            yield from _section(key, inner, (*keys, key), given, deeper)
            continue
        value = given.get((*keys, key)) or as_text(field.default)
        if field.default == []:
            value = "[]"
        head = f"{deeper}{key}: {value}" if value else f"{deeper}# {key}:"
        yield _noted(head, field.description or "")


def _noted(head: str, meaning: str) -> str:
    return f"{head:<{_COMMENT_AT}}  # {meaning}"


def _comment(doc: str | None, indent: str) -> list[str]:
    paragraphs = textwrap.dedent("    " + (doc or "").strip()).split("\n\n")
    text = " ".join(" ".join(paragraphs).split())
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
