from __future__ import annotations

from pathlib import Path

import pytest
from tests.recorded.recordings import recorded


def test_recorded_where_the_file_is_finds_it(tmp_path: Path) -> None:
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "a.csv").touch()

    found = recorded("market/a.csv", {"SUREFILL_RECORDED": str(tmp_path)})

    assert found == tmp_path / "market" / "a.csv"


@pytest.mark.parametrize(
    ("environment", "outcome"), [({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)]
)
def test_recorded_without_the_file_skips_but_fails_in_ci(
    tmp_path: Path, environment: dict[str, str], outcome: type[BaseException]
) -> None:
    with pytest.raises(outcome, match=r"no market/a\.csv in .*: set SUREFILL_RECORDED"):
        recorded("market/a.csv", {"SUREFILL_RECORDED": str(tmp_path), **environment})
