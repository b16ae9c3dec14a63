"""The settings under `policy`: what they tell the core, where they are asked, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from surefill.config import Settings, config_hash, profile_of
from surefill.config.risk import NEEDED
from surefill.domain.profile import PROFILES, Profile
from surefill.domain.sizing import NO_CAPS, SizingCaps
from surefill.errors import ConfigError
from surefill.units import PCT_PPB, PPB


def _profile(engine: str = "paper_full", **sections: Any) -> Profile:
    return profile_of(Settings.model_validate({"execution": {"engine": engine}, **sections}))


@pytest.mark.parametrize("engine", ["paper_full", "paper_long_only"])
def test_paper_profiles_have_their_rules_right_after_the_kill_switch(engine: str) -> None:
    plain = _profile(engine)
    assert plain.gates == ("halted", "regime", "size_caps", *PROFILES[engine].gates[1:])
    assert plain.limits.regime_optional
    assert plain.sizing_caps == NO_CAPS
    limited = _profile(engine, policy={"max_drawdown_pct": 5})
    assert limited.gates[:4] == ("halted", "regime", "drawdown", "size_caps")


@pytest.mark.parametrize("engine", ["v3", "v2", "rpm", "pipeline"])
def test_other_profiles_have_no_policy(engine: str) -> None:
    given = {"policy": {"max_drawdown_pct": 1, "require_regime": True, "max_total_pct": 5}}
    assert _profile(engine, **given) == _profile(engine)


def test_every_setting_reaches_the_core_in_its_unit() -> None:
    found = _profile(
        policy={
            "regime_warn_z": "1.5",
            "regime_reject_z": 2,
            "require_regime": True,
            "max_drawdown_pct": "7.5",
            "max_position_pct": 10,
            "max_total_pct": 150,
            "max_correlated_pct": 20,
            "max_risk_pct": "0.5",
        }
    )
    limits = found.limits
    assert (limits.regime_z_warn_ppb, limits.regime_z_max_ppb) == (3 * PPB // 2, 2 * PPB)
    assert (limits.regime_optional, limits.drawdown_max_ppb) == (False, 75 * PCT_PPB // 10)
    assert found.sizing_caps == SizingCaps(10 * PCT_PPB, 150 * PCT_PPB, 20 * PCT_PPB, PCT_PPB // 2)


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ({}, False),
        ({"limit_drawdown": True}, True),
        ({"max_drawdown_pct": 5}, True),
        ({"limit_drawdown": False, "max_drawdown_pct": 5}, False),
    ],
)
def test_drawdown_is_asked_where_a_setting_says_so(policy: dict[str, object], asked: bool) -> None:
    assert ("drawdown" in _profile(policy=policy).gates) is asked


def test_regime_that_risk_names_itself_needs_its_figure() -> None:
    assert not _profile(risk={"enable": ["regime"]}).limits.regime_optional
    assert not _profile(risk={"gates": [*NEEDED, "regime"]}).limits.regime_optional


@pytest.mark.parametrize(
    ("policy", "risk"),
    [
        ({"max_drawdown_pct": 4}, {"drawdown_max_pct": 5}),
        ({"max_drawdown_pct": 1}, {"guardian": True}),
        ({"regime_reject_z": 2}, {"regime_z_max": 3}),
        ({"max_position_pct": 5}, {"sized_position_max_pct": 5}),
        ({"max_risk_pct": 5}, {"sized_risk_max_pct": 5}),
        ({"max_drawdown_pct": "1.12345678"}, {}),
        ({"max_position_pct": "1000000"}, {}),
    ],
)
def test_setting_that_is_said_twice_or_cannot_be_counted_is_refused(policy: Any, risk: Any) -> None:
    with pytest.raises(ConfigError, match=rf"policy\.{next(iter(policy))} is"):
        _profile(policy=policy, risk=risk)


def test_cap_of_nothing_is_refused_since_it_would_be_no_cap() -> None:
    with pytest.raises(ValueError, match="max_position_pct"):
        _profile(policy={"max_position_pct": 0})


def test_policy_is_part_of_the_hash_as_soon_as_it_says_something() -> None:
    assert config_hash(Settings.model_validate({"policy": {}})) == config_hash(Settings())
    assert config_hash(Settings.model_validate({"policy": {"max_total_pct": 5}})) != config_hash(Settings())
