"""Where the recorded markets are, and what to do where they are not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def recorded(path: str, environment: Mapping[str, str] = os.environ) -> Path:
    """A recorded file. Where there is none the test is skipped; in CI, where there must be one, it fails."""
    folder = environment.get("SUREFILL_RECORDED") or str(CHECKOUT / ".." / "shared" / "data")
    file = Path(folder) / path
    if file.is_file():
        return file
    reason = f"no {path} in {folder}: set SUREFILL_RECORDED to the folder with the recorded markets"
    if environment.get("CI"):
        pytest.fail(f"{reason}; in CI these tests may not be skipped")
    pytest.skip(reason)
