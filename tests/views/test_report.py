"""The report's file: complete in itself, exact, the same every time, and harmless whatever is in the journal."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from tests.strategy import runs
from tests.strategy.runs import minutes
from tests.views import reports
from tests.views.reports import data_of, unpacked

from surefill.domain import codec
from surefill.journal import MemoryJournal
from surefill.market.dataset import load_demo_bars
from surefill.units import NS_PER_S, quanta_float
from surefill.views.metrics import net
from surefill.views.performance import performance
from surefill.views.report import Shown, report
from surefill.views.report.columns import bar_columns, steps_of

BYTES_MAX = 1_500_000


@pytest.fixture(scope="module")
def demo() -> str:
    """The demonstration's report."""
    return reports.demo_report()


class Outline(HTMLParser):
    """What a page consists of, and what it points at."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values.get("content") or ""


def _outline(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    return outline


def test_report_is_one_small_file_that_points_nowhere(demo: str) -> None:
    assert len(demo.encode()) < BYTES_MAX
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", demo) == []
    assert (
        re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(|eval\(|innerHTML|sendBeacon", demo) == []
    )
    assert _outline(demo).addresses == ["data:,"]


def test_report_lets_only_its_own_script_and_style_run(demo: str) -> None:
    script = re.search(r"<script>(.*?)</script>", demo, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", demo, re.DOTALL)
    assert script is not None
    assert style is not None
    hashes = [base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode() for found in (script, style)]
    policy = _outline(demo).policy
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    assert " style=" not in demo, "the policy forbids style attributes"
    assert not re.search(r"\son\w+=[\"']", demo), "the policy forbids handlers in markup"


def test_report_holds_the_bars_exactly(demo: str) -> None:
    series = load_demo_bars()
    packed = {bars["symbol"]: bars for bars in data_of(demo)["bars"]}
    assert packed.keys() == series.keys()
    for symbol, bars in series.items():
        columns = packed[symbol]
        assert unpacked(columns["times"]) == [ns // NS_PER_S for ns in bars.open_ns]
        before = 0
        for at in range(len(bars)):
            open_px = before + columns["o"][at]
            before = open_px + columns["c"][at]
            high_px = max(open_px, before) + columns["h"][at]
            low_px = min(open_px, before) - columns["l"][at]
            found = [px * columns["unit"] for px in (open_px, high_px, low_px, before)]
            assert found == [bars.open_px[at], bars.high_px[at], bars.low_px[at], bars.close_px[at]]


def test_report_holds_the_trades_where_they_happened() -> None:
    journal, series = reports.small_journal()
    found = performance((codec.decode(payload) for payload in runs.payloads_of(journal)), series)
    (run,) = data_of(report("small", journal, {runs.WORKSPACE: Shown("Dice")}, series))["runs"]
    stories = [*found.stories, *found.running]
    assert len(run["trades"]) == len(stories) > 5
    for mark, story in zip(run["trades"], stories, strict=True):
        trade, bars = story.trade, series[story.trade.instrument_id]
        entry = bars[mark["entry_at"]]
        assert trade.entry_ns == entry.open_ns, "entries are at opens here"
        assert entry.low_px <= mark["entry_px"] * 100 * 1.001
        assert mark["entry_px"] * 100 * 0.999 <= entry.high_px
        assert mark["net"] == quanta_float(net(trade), found.money_decimals)
        assert [px for _, px in mark["stops"]] == [level.px / 100 for level in story.stops]
        if trade.exit_ns:
            exit_bar = bars[mark["exit_at"]]
            assert trade.exit_ns in (exit_bar.open_ns, exit_bar.ts_ns)
        else:
            assert mark["exit_at"] == -1
    assert sum(row["trades"] for row in run["rows"][:-1]) == run["rows"][-1]["trades"] == len(found.stories)
    assert unpacked(run["equity"]) == [round(value / 100) for value in found.curves.equity]


def test_report_says_that_the_journal_verifies() -> None:
    journal, series = reports.small_journal()
    (run,) = data_of(report("small", journal, {runs.WORKSPACE: Shown("Dice")}, series))["runs"]
    head = journal.heads()[runs.WORKSPACE]
    assert run["seal"]["ok"] is True
    assert (run["seal"]["events"], run["seal"]["head_hash"]) == (head.seq, head.chain_hash.hex())
    assert sum(kind["count"] for kind in run["events"]) == head.seq


def test_report_says_that_the_journal_does_not_verify() -> None:
    journal, series = reports.small_journal()
    stream = journal._streams[runs.WORKSPACE]
    stream.payloads[7] = stream.payloads[7].replace(b"1", b"2", 1)
    (run,) = data_of(report("small", journal, {runs.WORKSPACE: Shown("Dice")}, series))["runs"]
    assert run["seal"]["ok"] is False
    assert "event 8: its hash is not that of its content" in run["seal"]["faults"][0]


HOSTILE = "</script><script>alert(1)</script><!-- {{data}} &amp; \u2028 'x\""


def test_report_of_hostile_text_stays_data() -> None:
    html = reports.small_report(title=HOSTILE, name=HOSTILE, about={HOSTILE: HOSTILE})
    plain = reports.small_report()
    assert _outline(html).tags == _outline(plain).tags
    assert html.count("<script") == plain.count("<script") == 2
    data = data_of(html)
    assert (data["title"], data["runs"][0]["name"], data["runs"][0]["about"]) == (
        HOSTILE,
        HOSTILE,
        [[HOSTILE, HOSTILE]],
    )


def test_report_of_nothing_is_a_page() -> None:
    html = report("empty", MemoryJournal(), {}, {})
    assert data_of(html)["runs"] == []


def test_report_of_intraday_bars_keeps_their_times() -> None:
    bars = runs.series_of("A", minutes(missing_every=4), 1, "1m")
    columns = bar_columns(bars)
    times = {"first": columns.times.first, "count": columns.times.count}
    assert unpacked(times | {"unit": columns.times.unit, "steps": columns.times.steps}) == [
        ns // NS_PER_S for ns in bars.open_ns
    ]
    assert columns.times.unit == 60


@pytest.mark.parametrize("values", [[], [7], [7, 7], [3, 1, -5], [0, 600, 1200, 6000]])
def test_steps_unpack_to_what_was_packed(values: list[int]) -> None:
    packed = steps_of(values)
    found = {"count": packed.count, "first": packed.first, "unit": packed.unit, "steps": packed.steps}
    assert unpacked(found) == values


def test_report_is_the_same_in_another_process() -> None:
    program = "import sys; from tests.views.reports import small_report; sys.stdout.write(small_report())"
    command = [sys.executable, "-c", program]
    made = [
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] == reports.small_report().encode()
