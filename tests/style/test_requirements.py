"""The lock files pin everything by version and hash, agree with pyproject.toml, and know no machine."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["run.txt", "dev.txt", "lock.txt"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _blocks(name: str) -> list[str]:
    """The requirements of a lock file, continuation lines joined, comments left out."""
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _pins(name: str) -> dict[str, str]:
    pins = (re.match(r"(\S+)==(\S+)", block) for block in _blocks(name))
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_lines_are_pins_with_hashes_and_nothing_else(name: str) -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+\s*")
    assert [block for block in _blocks(name) if not pin.fullmatch(block)] == []


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("run.txt", PROJECT["dependencies"]),
        ("dev.txt", [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]),
    ],
)
def test_lock_holds_what_the_project_declares(name: str, declared: list[str]) -> None:
    pins = _pins(name)
    for requirement in map(Requirement, declared):
        version = pins.get(canonicalize_name(requirement.name), "no version")
        assert version in requirement.specifier, f"{name} pins {version} of {requirement}: run scripts/lock"


def test_both_locks_pin_the_same_versions() -> None:
    assert _pins("run.txt").items() <= _pins("dev.txt").items()
