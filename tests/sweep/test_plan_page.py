"""A run as a page: what is drawn is run again and is the same; every variant is there; what is not so is not said."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.sweep.sweeps import base, crosses, market, mischief
from tests.views.reports import data_of, unpacked

from surefill.domain import codec
from surefill.errors import LocalError
from surefill.journal import MemoryJournal, StreamVerification, verify
from surefill.sweep import Market, RunPlan, TrainTest, WalkForward, conditions_of, execute, generate
from surefill.sweep.events import VariantCompleted, stream_of
from surefill.sweep.plan_figures import figure_columns
from surefill.sweep.plan_page import PARTS, plan_page
from surefill.sweep.rerun import Rerun, rerun
from surefill.sweep.result import result_of
from surefill.sweep.run_record import RunRecord, run_in
from surefill.sweep.split import Split
from surefill.views.performance import performance

MARKET = market()
SPLITS: dict[str, Split | None] = {"whole": None, "train_test": TrainTest(0.6), "walk_forward": WalkForward(25, 15)}


class Done:
    """A finished run, and its page."""

    def __init__(self, plan: RunPlan, on: Market = MARKET, path: str = "auto", **more: Any) -> None:
        self.journal = MemoryJournal()
        self.result = execute(plan, on, self.journal, path=path, **more)
        self.record: RunRecord = run_in(self.journal, plan.run_plan_id)
        self.again: Rerun = rerun(self.record, self.result, on, 3)
        self.html = plan_page(self.record, self.again, self.proof())
        self.data = data_of(self.html)

    def proof(self) -> StreamVerification:
        name = stream_of(self.result.run_plan_id)
        (found,) = (stream for stream in verify(self.journal).streams if stream.workspace_id == name)
        return found


@cache
def _done(split: str) -> Done:
    return Done(crosses(MARKET, SPLITS[split]))


@pytest.mark.parametrize("split", SPLITS)
def test_what_is_run_again_is_what_was_recorded(split: str) -> None:
    done = _done(split)
    assert done.again.differs == ()
    segments = [segment.name for segment in done.again.segments]
    assert segments == [""] if split == "whole" else segments[0].startswith("train")
    for told in done.again.best:
        outcome = done.record.outcomes[done.result.best, told.segment.name]
        assert isinstance(outcome, VariantCompleted)
        found, recorded = told.performance, outcome.metrics
        assert told.proof.ok
        assert found.total.figures.trades == recorded.trade_count
        assert (found.daily, found.turnover) == (recorded.daily, recorded.turnover)
        went = [each.adverse for each in found.went]
        assert (None if not went else 100 * sum(went) / len(went)) == pytest.approx(recorded.mae_pct)
        assert (found.mae_pct, found.mfe_pct) == (recorded.mae_pct, recorded.mfe_pct)
        assert found.total.fees == recorded.fees
        assert (found.total.exposure, found.curve.end) == (recorded.exposure, recorded.ending_equity)
        assert found.total.figures.winning_streak == recorded.winning_streak
    assert [told.segment.name for told in done.again.best] == segments


@pytest.mark.parametrize("split", SPLITS)
def test_page_has_every_variant_with_its_settings_and_figures(split: str) -> None:
    done = _done(split)
    plan = done.data["plan"]
    shown = plan["variants"]
    rows = [row for row in done.result.rows if row.segment == plan["segment"]]
    assert shown["ids"] == [row.variant.variant_id for row in rows]
    assert shown["ranks"] == [row.rank for row in rows]
    assert plan["paths"] == ["entry.params.fast", "entry.params.slow"]
    assert shown["values"][0] == [row.variant.overrides.get("entry.params.fast", 2) for row in rows]
    assert shown["values"][1] == [row.variant.overrides.get("entry.params.slow", 6) for row in rows]
    figures = {figure["key"]: figure["values"] for figure in shown["figures"]}
    metrics = [row.outcome.metrics for row in rows if isinstance(row.outcome, VariantCompleted)]
    assert figures["return_pct"] == pytest.approx([each.return_pct for each in metrics], rel=1e-6)
    assert figures["daily.calmar"] == pytest.approx([each.daily.calmar for each in metrics], rel=1e-6)
    assert figures["score"] == figures["sharpe"]


@pytest.mark.parametrize("split", SPLITS)
def test_curves_are_those_of_the_account_and_go_on_where_they_ended(split: str) -> None:
    done = _done(split)
    plan = done.data["plan"]
    lines = {line["role"]: line for line in plan["lines"]}
    best = unpacked(lines["best"]["equity"])
    first = done.again.best[0].performance
    assert len(unpacked(plan["times"])) == len(best)
    assert best[plan["unseen_at"] - 1] == round(PARTS * first.curve.end / first.curve.start)
    if split != "whole":
        second = done.again.best[1].performance
        grown = (first.curve.end / first.curve.start) * (second.curve.end / second.curve.start)
        assert best[-1] == round(PARTS * grown)
    ranks = {plan["variants"]["ranks"][line["row"]] for line in plan["lines"]}
    assert {1, 2, 3} <= ranks
    assert len(unpacked(lines["other"]["equity"])) == plan["unseen_at"], "what was not chosen is not judged"


def test_page_says_what_was_held_back() -> None:
    whole, split = _done("whole").data["plan"], _done("train_test").data["plan"]
    assert any("nothing was held back" in remark for remark in whole["remarks"])
    assert split["remarks"] == []
    (window,) = split["windows"]
    judged = _done("train_test").result.windows[0]
    assert judged.out_of_sample is not None
    assert window["unseen"] == [judged.out_of_sample.return_pct, judged.out_of_sample.daily.sharpe]
    assert split["deflated"] == _done("train_test").result.deflated_sharpe


def test_best_variants_journal_is_read_back_into_its_tear_sheet() -> None:
    done = _done("train_test")
    train, test = done.data["runs"]
    assert [run["name"] for run in (train, test)] == ["Best variant, train", "Best variant, test"]
    assert train["seal"]["ok"] is True
    assert len(train["trades"]) >= done.again.best[0].performance.total.figures.trades > 0


def test_variant_with_a_kept_journal_is_the_same_run_again() -> None:
    done = Done(crosses(MARKET), path="engine", keep_journals=True)
    assert done.again.differs == ()
    told = done.again.best[0]
    kept = performance(
        (codec.decode(record.payload) for record in done.journal.read(told.proof.workspace_id)), MARKET.series
    )
    assert [story.trade for story in kept.stories] == [story.trade for story in told.performance.stories]
    assert kept.curves == told.performance.curves


def test_figures_that_come_out_otherwise_are_told() -> None:
    done = Done(crosses(MARKET))
    key = done.result.best, ""
    before = done.record.outcomes[key]
    assert isinstance(before, VariantCompleted)
    other = msgspec.structs.replace(before.metrics, trade_count=before.metrics.trade_count + 1)
    done.record.outcomes[key] = msgspec.structs.replace(before, metrics=other)
    again = rerun(done.record, result_of(done.record), MARKET, 3)
    assert again.differs == (done.result.best,)
    plan = data_of(plan_page(done.record, again, done.proof()))["plan"]
    assert plan["differs"] == [done.result.best]
    assert any("came out otherwise" in remark for remark in plan["remarks"])


def test_journal_that_comes_out_otherwise_is_told() -> None:
    done = Done(crosses(MARKET), path="engine")
    key = done.result.best, ""
    before = done.record.outcomes[key]
    assert isinstance(before, VariantCompleted)
    done.record.outcomes[key] = msgspec.structs.replace(before, head="0" * 64)
    assert rerun(done.record, result_of(done.record), MARKET, 3).differs == (done.result.best,)


def test_other_bars_than_those_of_the_run_are_refused() -> None:
    done = _done("whole")
    with pytest.raises(LocalError, match="other bars"):
        rerun(done.record, done.result, market(bars=61), 3)


def test_page_without_bars_has_every_variant_and_says_why_no_curves() -> None:
    done = _done("whole")
    data = data_of(plan_page(done.record, "the bars are gone", done.proof()))
    assert (data["runs"], data["bars"], data["plan"]["lines"]) == ([], [], [])
    assert len(data["plan"]["variants"]["ids"]) == len(done.result.rows)
    assert "Without curves and trades: the bars are gone" in data["plan"]["remarks"]


def test_failures_are_listed_with_their_reasons(tmp_path: Path) -> None:
    plan, strategies = mischief(MARKET, tmp_path, range(2, 6))
    (tmp_path / "raise-4").touch()
    done = Done(plan, strategies=strategies)
    shown = done.data["plan"]
    (failure,) = shown["failures"]
    assert (shown["failed"], failure["settings"], failure["code"]) == (1, "n 4", "STRATEGY_FAILED")
    assert "ZeroDivisionError: variant 4 cannot be" in failure["reason"]
    assert len(shown["variants"]["ids"]) == len(plan.variants) - 1
    assert shown["variants"]["values"] == [[1, 2, 3, 5]], "the base's own value comes from the strategy's file"


def test_page_of_a_strategy_whose_file_is_gone_knows_no_value_of_the_base(tmp_path: Path) -> None:
    plan, strategies = mischief(MARKET, tmp_path, [2])
    done = Done(plan, strategies=strategies)
    (tmp_path / "mischief.py").unlink()
    data = data_of(plan_page(done.record, "gone", done.proof()))
    assert data["plan"]["variants"]["values"] == [[None, 2]]


def test_hostile_names_stay_data() -> None:
    hostile = "</script><script>alert(1)</script>"
    plan = generate(
        {**base(MARKET, fast=2, slow=6), "name": hostile},
        {"sweep": {"entry.params.fast": [2, 3]}},
        conditions=conditions_of(MARKET),
    )
    html = Done(plan).html
    assert html.count("<script") == _done("whole").html.count("<script") == 2


def test_page_is_the_same_every_time() -> None:
    done = _done("walk_forward")
    again = rerun(done.record, done.result, MARKET, 3)
    assert plan_page(done.record, again, done.proof()) == done.html


def test_figures_without_a_value_are_none() -> None:
    done = Done(generate({**base(MARKET, fast=40, slow=50)}, conditions=conditions_of(MARKET)))
    (row,) = done.result.rows
    assert isinstance(row.outcome, VariantCompleted)
    assert row.outcome.metrics.trade_count == 0
    columns = {column.key: column.values for column in figure_columns("calmar", [row.outcome.metrics])}
    for key in ("score", "sharpe", "daily.sharpe", "daily.calmar", "profit_factor", "mae_pct"):
        assert columns[key] == [None], key
    assert columns["trade_count"] == [0.0]
