"""The log goes to standard error: standard output belongs to results."""

from __future__ import annotations

import subprocess
import sys

ALARM = """
from surefill.domain.effects import Notify
from surefill.engine import failures
{setting}
failures._log_alarm("w", Notify("DRIFT", "text", page=True))
"""


def run(setting: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", ALARM.format(setting=setting)], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_alarm_without_any_configuration_goes_to_standard_error() -> None:
    out, err = run("")
    assert (out, "DRIFT" in err) == ("", True)


def test_alarm_goes_where_the_application_says() -> None:
    out, err = run("import structlog; structlog.configure(logger_factory=structlog.PrintLoggerFactory())")
    assert ("DRIFT" in out, err) == (True, "")
