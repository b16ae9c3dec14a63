"""The report in a real browser: it draws, it sorts, it moves, it is silent, and it asks nobody for anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page
from tests.views import browser, reports

from surefill.market.dataset import load_demo_bars
from surefill.units import iso_from_ns

pytestmark = pytest.mark.slow

COLOURS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  let painted = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 40) continue;
    painted += 1;
    found.add(`${data[at] >> 4},${data[at + 1] >> 4},${data[at + 2] >> 4}`);
  }
  return [painted / (data.length / 4), found.size];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here."""
    with browser.browser() as made:
        yield made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the reports."""
    folder = tmp_path_factory.mktemp("reports")
    hostile = '<img src=x onerror="alert(1)"></script><b>bold</b>'
    pages = {
        "demo": reports.demo_report(),
        "hostile": reports.small_report(title=hostile, name=hostile, about={hostile: hostile}),
    }
    return {name: _written(folder / f"{name}.html", html) for name, html in pages.items()}


def _written(path: Path, html: str) -> str:
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def watched(chromium: Browser, files: dict[str, str]) -> Iterator[browser.Watched]:
    """The demonstration's report, open; afterwards nothing may have gone wrong on it."""
    made = browser.Watched(chromium)
    made.page.goto(files["demo"])
    yield made
    made.context.close()
    assert made.complaints == []
    assert {url.partition(":")[0] for url in made.requests} <= {"file", "data"}


def _drawn(page: Page, number: int) -> tuple[float, int]:
    """How much of a canvas is painted, in how many colours."""
    page.wait_for_timeout(100)
    share, colours = page.locator("canvas").nth(number).evaluate(COLOURS)
    return share, colours


def _pixels(canvas: Locator) -> str:
    canvas.page.wait_for_timeout(100)
    return hashlib.sha256(canvas.evaluate("canvas => canvas.toDataURL()").encode()).hexdigest()


def _cells(page: Page, table: str, column: int) -> list[str]:
    return page.get_by_role("table", name=table).locator(f"tbody td:nth-child({column})").all_inner_texts()


def _figure(text: str) -> float:
    return float(re.sub(r"[^0-9.−-]", "", text).replace("−", "-") or 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_report_draws_itself_offline_in_any_theme_and_width(
    chromium: Browser, files: dict[str, str], scheme: str, width: int
) -> None:
    made = browser.Watched(chromium, width=width, scheme=scheme)
    made.page.goto(files["demo"])
    equity, candles = _drawn(made.page, 0), _drawn(made.page, 1)
    assert equity[0] > 0.05
    assert equity[1] > 4
    assert candles[0] > 0.02
    assert candles[1] > 5
    assert made.page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
    assert made.complaints == []
    background = made.page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = int(re.findall(r"\d+", background)[0]) > 128
    assert light == (scheme == "light")
    made.context.close()


@pytest.mark.parametrize("width", [1280, 1400, 1600])
def test_tables_show_every_column_on_a_desktop(chromium: Browser, files: dict[str, str], width: int) -> None:
    made = browser.Watched(chromium, width=width)
    made.page.goto(files["demo"])
    for tab in made.page.get_by_role("tab").all():
        tab.click()
        beyond = made.page.locator(".scroll").evaluate_all(
            "all => all.map(each => [each.querySelector('table')?.ariaLabel, each.scrollWidth - each.clientWidth])"
        )
        assert len(beyond) > 3
        assert [each for each in beyond if each[1] > 0] == []
        ends = made.page.locator("td.long").evaluate_all("all => all.map(each => each.scrollWidth - each.clientWidth)")
        assert max(ends) <= 0, "a reason is cut off"
    made.context.close()


def test_candles_of_an_instrument_without_trades_are_drawn(watched: browser.Watched) -> None:
    page = watched.page
    page.get_by_role("tab").nth(1).click()
    page.get_by_role("button", name="FB no trades").click()
    share, colours = _drawn(page, 1)
    assert share > 0.02
    assert colours > 8


def test_report_shows_every_section(watched: browser.Watched) -> None:
    headings = watched.page.get_by_role("heading", level=2).all_inner_texts()
    for title in (
        "Equity",
        "Trades on the chart",
        "Figures",
        "Distribution of trades",
        "Against and in favour",
        "By instrument",
        "Monthly returns",
        "Exits by reason",
        "The journal",
    ):
        assert any(title in heading for heading in headings), title
    assert "✓ journal verified" in watched.page.locator("header").inner_text()


def test_figures_say_what_they_are(watched: browser.Watched) -> None:
    page = watched.page
    names = page.locator("dl.figures dt")
    assert names.count() == 26
    assert all(names.evaluate_all("all => all.map(each => each.title.length > 10)"))
    assert "252 periods per year, riskless rate 0, deviations over n − 1" in page.locator("#main").inner_text()
    page.get_by_text("What each figure is").click()
    assert "mean of the daily returns / their deviation × √P" in page.locator("details").inner_text()


def test_trades_are_drawn_as_a_crowd(watched: browser.Watched) -> None:
    page = watched.page
    page.wait_for_timeout(100)
    distribution, scatter = page.locator("canvas").nth(2), page.locator("canvas").nth(3)
    assert browser.painted(distribution, "up") > 0.01
    assert browser.painted(distribution, "down") > 0.01
    assert browser.painted(scatter, "up") > 0.001
    assert browser.painted(scatter, "down") > 0.001
    box = distribution.bounding_box()
    assert box is not None
    distribution.hover(position={"x": box["width"] / 2, "y": 100})
    assert re.search(r"\d+ trades .* to ", page.locator(".readout").nth(2).inner_text())


def test_click_on_a_trade_of_the_crowd_shows_it_in_the_chart(watched: browser.Watched) -> None:
    page = watched.page
    scatter, candles = page.locator("canvas").nth(3), page.locator("canvas").nth(1)
    before = _pixels(candles)
    box = scatter.bounding_box()
    assert box is not None
    readout = page.locator(".readout").nth(3)
    for x in range(60, int(box["width"]), 9):
        scatter.hover(position={"x": x, "y": box["height"] * 0.6})
        if readout.is_visible():
            break
    assert re.search(r"(AAPL|FB|GOOG|IBM|MSFT) \d{4}-\d\d-\d\d [▲▼].*MAE .* %.*MFE .* %", readout.inner_text())
    scatter.click(position={"x": x, "y": box["height"] * 0.6})
    page.wait_for_timeout(600)
    assert _pixels(candles) != before


def test_trades_sort_by_a_click_on_the_head_and_back(watched: browser.Watched) -> None:
    page = watched.page
    head = page.get_by_role("table", name="Trades").get_by_role("button", name="Net, USD")
    head.click()
    falling = [_figure(text) for text in _cells(page, "Trades", 8)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > 0 > falling[-1]
    head.click()
    assert [_figure(text) for text in _cells(page, "Trades", 8)] == falling[::-1]
    sorted_by = page.get_by_role("table", name="Trades").locator("th[aria-sort]")
    assert sorted_by.inner_text().startswith("Net")
    assert sorted_by.get_attribute("aria-sort") == "ascending"


def test_trades_are_filtered_by_instrument_and_result(watched: browser.Watched) -> None:
    page = watched.page
    page.get_by_label("Instrument").last.select_option("IBM")
    page.get_by_label("Result").select_option("lost")
    assert set(_cells(page, "Trades", 2)) == {"IBM"}
    assert all(_figure(text) < 0 for text in _cells(page, "Trades", 8))


def test_other_strategy_comes_with_its_tab(watched: browser.Watched) -> None:
    page = watched.page
    before = _cells(page, "Trades", 1)
    page.get_by_role("tab").nth(1).click()
    assert page.get_by_role("tab").nth(1).get_attribute("aria-selected") == "true"
    assert _cells(page, "Trades", 1) != before
    assert "time stop" in _cells(page, "Reason", 1)
    assert _drawn(page, 1)[1] > 5


def test_click_on_a_trade_zooms_to_it_and_its_story_is_told(watched: browser.Watched) -> None:
    page = watched.page
    canvas = page.locator("canvas").nth(1)
    before = _pixels(canvas)
    row = page.get_by_role("table", name="Trades").locator("tbody tr").nth(3)
    symbol = row.locator("td").nth(1).inner_text()
    row.click()
    page.wait_for_timeout(600)
    assert _pixels(canvas) != before
    assert symbol in page.locator('.pick button[aria-pressed="true"]').first.inner_text()
    canvas.hover(position={"x": _middle(canvas), "y": 150})
    story = page.locator(".tip").inner_text()
    for word in ("intent", "ema_cross: 20 above 50 bars", "bought", "stop", "exit", "USD", "fees"):
        assert word in story
    page.mouse.move(2, 2)
    assert page.locator(".tip").is_hidden()


def _middle(canvas: Locator) -> float:
    box = canvas.bounding_box()
    assert box is not None
    return (box["width"] - 62) / 2


def test_pointer_reads_the_bar_beneath_it(watched: browser.Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="IBM").click()
    canvas = page.locator("canvas").nth(1)
    canvas.hover(position={"x": 400, "y": 60})
    words = page.locator(".readout").nth(1).inner_text().split()
    bars = load_demo_bars(("IBM",))["IBM"]
    (at,) = [at for at, ns in enumerate(bars.open_ns) if iso_from_ns(ns)[:10] == words[0]]
    box = canvas.bounding_box()
    assert box is not None
    assert abs(at - int(400 / ((box["width"] - 62) / len(bars)))) <= 1  # widths are whole pixels to the page
    shown = [float(words[words.index(letter) + 1]) for letter in "OHLC"]
    assert shown == [bars.opens[at], bars.highs[at], bars.lows[at], bars.closes[at]]


def test_chart_follows_wheel_drag_keys_and_double_click(watched: browser.Watched) -> None:
    page = watched.page
    canvas = page.locator("canvas").nth(1)
    canvas.hover(position={"x": 500, "y": 350})
    seen = [_pixels(canvas)]
    whole = seen[0]
    page.mouse.wheel(0, -400)
    seen.append(_pixels(canvas))
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.down()
    page.mouse.move(box["x"] + 700, box["y"] + 350)
    page.mouse.up()
    seen.append(_pixels(canvas))
    canvas.press("ArrowRight")
    seen.append(_pixels(canvas))
    assert len(set(seen)) == len(seen), "something did not move the chart"
    canvas.dblclick(position={"x": 500, "y": 350})
    assert _pixels(canvas) == whole


def test_hostile_text_is_shown_and_does_nothing(chromium: Browser, files: dict[str, str]) -> None:
    made = browser.Watched(chromium)
    made.page.goto(files["hostile"])
    assert '<img src=x onerror="alert(1)"></script><b>bold</b>' in made.page.locator("h1").inner_text()
    assert made.page.locator("header img, header b, main img").count() == 0
    assert made.page.locator(".tip").count() == 1
    assert made.complaints == []
    made.context.close()


def test_policy_stops_foreign_script(chromium: Browser, files: dict[str, str], tmp_path: Path) -> None:
    made = browser.Watched(chromium)
    html = reports.small_report().replace("</body>", "<script>window.foreign = true</script></body>")
    made.page.goto(_written(tmp_path / "foreign.html", html))
    assert made.page.evaluate("window.foreign") is None
    assert any("Content Security Policy" in complaint for complaint in made.complaints)
    made.context.close()
