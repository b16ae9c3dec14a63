"""Loggers that write to standard error unless the application has configured structlog otherwise.

Standard output belongs to results: structlog's own default would mix the log into them.
"""

from __future__ import annotations

import sys
from typing import Any

import structlog


def logger(name: str) -> Any:
    """The logger of that name; an application's own `structlog.configure`, earlier or later, takes precedence."""
    if not structlog.is_configured():
        structlog.configure(logger_factory=_to_stderr)
    return structlog.get_logger(name)


def _to_stderr(*_name: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)  # looked up anew: it may have been replaced since
