from __future__ import annotations

import subprocess
import sys


def test_time_zones_on_a_system_without_zone_data_are_known_all_the_same() -> None:
    code = "from surefill.market.sessions import calendar_named as c; print(c('nse').zone, c('us_equities').zone)"

    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONTZPATH": ""}, capture_output=True, text=True, check=True
    )

    assert done.stdout == "Asia/Kolkata America/New_York\n"
