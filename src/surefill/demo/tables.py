"""What the demonstration prints: results as tables, findings as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from surefill.demo.proof import Finding
from surefill.units import quanta_decimal
from surefill.views.daily_figures import DailyFigures
from surefill.views.performance import Line, Performance

COLUMNS = (
    "",
    "trades",
    "won",
    "profit\nfactor",
    "net P&L\n(closed)",
    "open\nP&L",
    "fees",
    "max draw-\ndown",
    "in the\nmarket",
)


def money(quanta: int, decimals: int, *, sign: bool = False) -> str:
    """An amount to the hundredth, half to even, as people write it."""
    return f"{quanta_decimal(quanta, decimals):{'+' if sign else ''},.2f}"


def results_table(name: str, found: Performance) -> Table:
    """A strategy's results by symbol, and their total."""
    made = Table(title=name, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        made.add_column(column, justify="right" if column else "left", no_wrap=True)
    for line in found.lines:
        made.add_row(*_cells(line, found.money_decimals))
    made.add_section()
    made.add_row(*_cells(found.total, found.money_decimals), style="bold")
    return made


def _cells(line: Line, decimals: int) -> Iterable[Text | str]:
    figures = line.figures
    yield line.name
    yield f"{figures.trades:,}"
    yield "-" if figures.win_rate is None else f"{figures.win_rate:.0%}"
    yield "-" if figures.profit_factor is None else f"{figures.profit_factor:.2f}"
    yield _moved(figures.net, decimals)
    yield _moved(line.open_net, decimals)
    yield money(line.fees, decimals)
    yield money(line.max_drawdown, decimals)
    yield "-" if line.exposure is None else f"{line.exposure:.0%}"


def _moved(quanta: int, decimals: int) -> Text:
    return Text(money(quanta, decimals, sign=True), "green" if quanta > 0 else "red" if quanta < 0 else "dim")


def show_results(console: Console, name: str, found: Performance) -> None:
    """The table, what the account came to, and how its trades ended."""
    curve, decimals = found.curve, found.money_decimals
    console.print(results_table(name, found))
    made = curve.end - curve.start
    console.print(
        f"  {money(curve.start, decimals)} {found.currency} became {money(curve.end, decimals)}"
        f" ({made / curve.start:+.1%}); {sharpe_words(found.daily)};\n"
        f"  never more than {curve.max_drawdown_pct:.1f} % below its highest close",
        highlight=False,
    )
    ends = ", ".join(f"{exits.count} by {word.replace('_', ' ')}" for word, exits in found.exits.items())
    console.print(f"  exits: {ends or 'none'}", highlight=False)
    console.print(f"  refused intents: {_refusals(found) or 'none'}\n", highlight=False)


def sharpe_words(found: DailyFigures) -> str:
    """The annual Sharpe ratio, and what it was made with."""
    ratio = "none" if found.sharpe is None else f"{found.sharpe:.2f}"
    terms = f"{found.periods_per_year} periods a year, riskless rate {found.rf:g}, deviation over n - {found.ddof}"
    return f"Sharpe ratio {ratio} ({terms})"


def _refusals(found: Performance) -> str:
    return "; ".join(f"{refused.count} {code} ({refused.example})" for code, refused in found.refused.items())


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """One line each, with a mark that is more than a colour."""
    for finding in findings:
        mark = Text("  ✓ ", "green") if finding.ok else Text("  ✗ NOT SO: ", "bold red")
        console.print(mark + Text(finding.text), highlight=False, soft_wrap=True)


def show_commands(console: Console, commands: Mapping[str, str]) -> None:
    """What to do next: commands, each with what it shows."""
    width = max(map(len, commands), default=0)
    for command, meaning in commands.items():
        console.print(f"  {command:<{width}}  {meaning}", highlight=False, soft_wrap=True, markup=False)
