"""What show-config lists, the file that init writes, and the example that is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from surefill.config import instrument_of, load_settings, opening_of, paper_settings_of, profile_of
from surefill.config.complaints import every_key
from surefill.config.listing import MASK, is_secret, listing
from surefill.config.sample import sample_file
from surefill.config.tree import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_listing_names_each_setting_its_source_and_what_an_empty_one_means(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("execution:\n  engine: v2\n  slippage_bps:\n  fill_mode: mid\ninstruments:\n  X: {lot: 75}\n")
    settings = load_settings(file, None, {"SUREFILL__TRADING__DEFAULT_QUANTITY": "2"})
    listed = {each.key: (each.value, each.meant, each.source) for each in listing(settings)}
    assert listed["execution.engine"] == ("v2", "", f"{file} line 2")
    assert listed["execution.slippage_bps"] == ("", "5.0", f"{file} line 3")
    assert listed["execution.fill_mode"] == ("mid", "", f"{file} line 4")
    assert listed["execution.spread_bps"] == ("0", "", "default")
    assert listed["workspace.currency"] == ("", "INR", "default")
    assert listed["instruments.X.tick"] == ("", "0.05", "default")
    assert listed["instruments.X.lot"] == ("75", "", f"{file} line 6")
    assert listed["trading.default_quantity"] == ("2", "", "environment SUREFILL__TRADING__DEFAULT_QUANTITY")


def test_listing_leaves_no_setting_out() -> None:
    listed = {each.key for each in listing(load_settings(None, environ={}))}
    plain = {".".join(keys) for keys in every_key() if "*" not in keys}
    assert plain <= listed


def test_listing_masks_what_is_secret(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "strategies:\n  - entry: {type: x, params: {api_key: hunter2, bars: 3}}\n    risk: {dollars_per_trade: 1}\n"
    )
    listed = listing(load_settings(file, environ={}))
    assert "hunter2" not in str(listed)
    assert [each.value for each in listed if each.key.endswith("params.api_key")] == [MASK]


@pytest.mark.parametrize(
    ("key", "secret"), [("api_key", True), ("API_SECRET", True), ("tick", False), ("engine", False)]
)
def test_secret_is_known_by_its_name(key: str, secret: bool) -> None:
    assert is_secret(("feed", key)) is secret


@pytest.mark.parametrize("engine", [None, "v3", "v2", "paper_long_only", "paper_full"])
def test_sample_file_loads_as_the_defaults_of_its_profile(tmp_path: Path, engine: str | None) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(sample_file(engine, "w"))
    sample = load_settings(file, environ={})
    defaults = load_settings(None, {"execution.engine": engine, "workspace.id": "w"}, {})
    left_out = {"instruments", "strategies"}
    assert sample.model_dump(exclude=left_out) == defaults.model_dump(exclude=left_out)
    assert instrument_of(sample, "X") == instrument_of(defaults, "X")


def test_sample_file_mentions_every_setting_outside_lists() -> None:
    text = sample_file()
    assert [keys[-1] for keys in every_key() if "*" not in keys and f" {keys[-1]}:" not in text] == []


def test_example_configuration_is_usable_and_switches_every_step_on() -> None:
    file = ROOT / "examples" / "config.yaml"
    settings = load_settings(file, environ={})
    execution = settings.execution
    assert (execution.enable_partial_exit, execution.enable_trailing, execution.enable_time_stop) == (True, True, True)
    assert opening_of(settings, 0).mode == "paper"
    assert profile_of(settings).name == "v3"
    assert paper_settings_of(settings).fees
    for symbol in settings.instruments:
        if symbol != "default":
            assert instrument_of(settings, symbol).currency == "INR"


def test_example_configuration_says_something_in_every_section() -> None:
    tree = yaml.safe_load((ROOT / "examples" / "config.yaml").read_text())
    assert set(tree) == set(Settings.model_fields)
