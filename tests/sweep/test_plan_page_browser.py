"""A run's page in a real browser, without a network: it draws, sorts, picks, says what is under the pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page
from tests.sweep.sweeps import base, crosses, market, mischief
from tests.sweep.test_plan_page import MARKET, Done
from tests.views import browser

from surefill.sweep import Market, RunPlan, TrainTest, conditions_of, generate
from surefill.sweep.events import RunStarted, VariantCompleted
from surefill.sweep.plan_page import plan_page
from surefill.sweep.run_record import RunRecord

pytestmark = pytest.mark.slow

BYTES_MAX_10_000 = 3_500_000
HOSTILE = "<img src=x onerror=alert(1)>"


def _many() -> RunPlan:
    sweep = {"entry.params.fast": list(range(2, 20)), "entry.params.slow": list(range(20, 40))}
    constraints = {"sweep": sweep, "max_variants": None}
    return generate(base(MARKET, fast=2, slow=6), constraints, objective="return", conditions=conditions_of(MARKET))


def _ten_thousand() -> str:
    """A page of as many variants, all with the outcome of one that ran."""
    sweep = {"entry.params.fast": {"min": 2, "max": 101}, "entry.params.slow": {"min": 102, "max": 201}}
    plan = generate(base(MARKET, fast=2, slow=150), {"sweep": sweep, "max_variants": None, "ablations": False})
    done = Done(crosses(MARKET))
    (model,) = (
        o for o in done.record.outcomes.values() if isinstance(o, VariantCompleted) and o.variant_id == done.result.best
    )
    record = RunRecord()
    started = done.record.begun
    record.apply(
        RunStarted(started.ts_ns, plan, (), {}, started.settings, (), started.fill_at, started.path, started.build)
    )
    for variant in plan.variants:
        metrics = msgspec.structs.replace(model.metrics, return_pct=variant.index / 1_000)
        record.apply(msgspec.structs.replace(model, variant_id=variant.variant_id, metrics=metrics))
    return plan_page(record, "they are not run here", done.proof())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the pages."""
    folder = tmp_path_factory.mktemp("plans")
    failing, strategies = mischief(MARKET, folder, range(2, 6))
    (folder / "raise-4").touch()
    hostile = Market(*market(symbols=[HOSTILE]))  # type: ignore[arg-type]
    pages = {
        "split": Done(crosses(MARKET, TrainTest(0.6))).html,
        "many": Done(_many()).html,
        "failing": Done(failing, strategies=strategies).html,
        "hostile": Done(crosses(hostile), hostile).html,
        "ten_thousand": _ten_thousand(),
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here."""
    with browser.browser() as made:
        yield made


class Opened:
    """A page, open, on which nothing may have gone wrong when it is closed."""

    def __init__(self, chromium: Browser, address: str, *, width: int = 1400, scheme: str = "light") -> None:
        self.watched = browser.Watched(chromium, width=width, scheme=scheme)
        self.page: Page = self.watched.page
        self.page.goto(address)
        self.page.wait_for_timeout(150)

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_error: object) -> None:
        self.watched.context.close()
        assert self.watched.complaints == []
        assert {url.partition(":")[0] for url in self.watched.requests} <= {"file", "data"}


def _column(page: Page, title: str) -> list[str]:
    table = page.get_by_role("table", name="Variants")
    heads = [text.strip("↕↑↓ ") for text in table.locator("thead th").all_inner_texts()]
    return table.locator(f"tbody td:nth-child({heads.index(title) + 1})").all_inner_texts()


def _figure(text: str) -> float:
    return float(re.sub(r"[^0-9.−-]", "", text).replace("−", "-"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_page_draws_itself_offline_in_any_theme_and_width(
    chromium: Browser, files: dict[str, str], scheme: str, width: int
) -> None:
    with Opened(chromium, files["split"], width=width, scheme=scheme) as page:
        heatmap, overlay = page.locator("canvas").nth(0), page.locator("canvas").nth(1)
        assert sum(browser.painted(heatmap, colour) for colour in ("up", "down", "accent")) > 0.25
        assert browser.painted(heatmap, "ink") > 0.001, "figures in the cells"
        assert browser.painted(overlay, "accent") > 0.002, "the best"
        assert browser.painted(overlay, "ink") > 0.0005, "the baseline"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
        text = page.locator("header").inner_text()
        for words in ("✓ journal verified", "✓ run again: the same figures", "Deflated Sharpe", "Out of sample"):
            assert words in text, words
        assert page.get_by_role("tab").count() == 2


def test_variants_fit_a_desktop(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["split"]) as page:
        beyond = page.locator("#plan .scroll").evaluate_all(
            "all => all.map(each => each.scrollWidth - each.clientWidth)"
        )
        assert len(beyond) == 2
        assert max(beyond) <= 0


def test_variants_are_sorted_all_of_them_and_shown_page_by_page(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["many"]) as page:
        table = page.get_by_role("table", name="Variants")
        assert _column(page, "Rank") == [str(rank) for rank in range(1, 101)]
        assert "1–100 of 361" in page.locator("#plan .pager").first.inner_text()
        page.get_by_role("button", name="next ›").first.click()
        assert _column(page, "Rank")[0] == "101"
        table.get_by_role("button", name="Return").click()
        falling = [_figure(text) for text in _column(page, "Return")]
        assert falling == sorted(falling, reverse=True)
        assert _column(page, "Rank")[0] == "1", "the first page again, of all variants"
        table.get_by_role("button", name="Return").click()
        rising = [_figure(text) for text in _column(page, "Return")]
        assert rising == sorted(rising)
        assert rising[0] < falling[-1]
        for _ in range(2):
            table.get_by_role("button", name="Sharpe, trades").click()
            assert "–" not in _column(page, "Sharpe, trades")[:20], "what has no value comes last, either way"


def test_heatmap_tells_the_cell_and_a_click_shows_its_variants(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["many"]) as page:
        canvas = page.locator("canvas").first
        box = canvas.bounding_box()
        assert box is not None
        canvas.hover(position={"x": box["width"] / 2, "y": 100})
        told = page.locator(".told").inner_text()
        found = re.match(r"fast (\d+) · slow (\d+): Score ([−\d.]+) \(variant [0-9a-f]{16}, rank (\d+)\)", told)
        assert found is not None, told
        canvas.click(position={"x": box["width"] / 2, "y": 100})
        assert [_column(page, name) for name in ("fast", "slow", "Rank")] == [[found[1]], [found[2]], [found[4]]]
        assert f"1 of 361: fast {found[1]} · slow {found[2]}" in page.locator("#plan").inner_text()
        page.get_by_role("button", name="show all").click()
        assert len(_column(page, "Rank")) == 100


def test_heatmap_of_another_figure_and_of_one_parameter(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["many"]) as page:
        canvas = page.locator("canvas").first
        before = canvas.evaluate("canvas => canvas.toDataURL()")
        page.get_by_label("figure", exact=True).select_option(label="Max drawdown")
        page.wait_for_timeout(100)
        after = canvas.evaluate("canvas => canvas.toDataURL()")
        assert before != after
        page.get_by_label("down", exact=True).select_option(label="nothing")
        page.get_by_label("of several", exact=True).select_option("worst")
        page.wait_for_timeout(100)
        canvas.hover(position={"x": 700, "y": 10})
        assert re.search(
            r"slow \d+: Max drawdown [\d.]+ % \(worst of \d+ variants, best rank \d+\)",
            page.locator(".told").inner_text(),
        )


def test_overlay_reads_every_curve_under_the_pointer(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["split"]) as page:
        chart = page.locator("canvas").nth(1)
        chart.hover(position={"x": 30, "y": 100})
        told = page.locator("#plan .readout").inner_text()
        assert re.search(r"best [▲▼■] [+−]?[\d.]+ %", told), told
        assert "baseline" in told
        key = page.locator("#plan .key").nth(1).inner_text()
        assert "(baseline)" in key
        assert re.search(r"1\. fast \d+, slow \d+", key)


def test_failures_are_shown_with_their_reasons(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["failing"]) as page:
        row = page.get_by_role("table", name="Failures").locator("tbody tr").inner_text()
        assert "n 4" in row
        assert "ZeroDivisionError: variant 4 cannot be" in row


def test_hostile_symbol_is_shown_and_does_nothing(chromium: Browser, files: dict[str, str]) -> None:
    with Opened(chromium, files["hostile"]) as page:
        assert HOSTILE in page.locator("h1").inner_text()
        assert page.locator("img").count() == 0


def test_page_of_ten_thousand_variants_stays_usable(chromium: Browser, files: dict[str, str]) -> None:
    size = Path(files["ten_thousand"].removeprefix("file://")).stat().st_size
    assert size < BYTES_MAX_10_000
    with Opened(chromium, files["ten_thousand"]) as page:
        assert "1–100 of 10,000" in page.locator("#plan .pager").first.inner_text()
        assert page.get_by_role("table", name="Variants").locator("tbody tr").count() == 100
        page.get_by_role("table", name="Variants").get_by_role("button", name="Return").click()
        assert _column(page, "Return")[0] == "+10.00 %"
        page.get_by_label("figure", exact=True).select_option(label="Return")
        page.wait_for_timeout(200)
        assert browser.painted(page.locator("canvas").first, "accent") > 0.6, "all but none of it above zero"
        assert "10,000 variants." in page.locator(".told").inner_text(), "each in a cell of its own"
        assert "Without curves and trades: they are not run here" in page.locator("#plan").inner_text()
