"""Run the command line, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import structlog

from surefill.cli import app as cli_app

SYNTHETIC = """
workspace: {id: main}
execution: {engine: v3, allow_negative_cash: true}
feed: {source: synthetic, symbols: [A, B], timeframe: 1m, bars: 60}
instruments: {default: {calendar: 24x7}}
strategies:
  - entry: {type: sma_cross, params: {fast: 2, slow: 5}}
    risk: {dollars_per_trade: 5000}
"""


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


def surefill(*words: str | Path) -> Ran:
    """Run `surefill …` here."""
    argv = ["surefill", *(str(word) for word in words)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: int | str | None = 0
    logging = structlog.get_config()
    with patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            cli_app.run()
        except SystemExit as ended:
            code = ended.code
        finally:
            structlog.configure(**logging)  # or the loggers of other tests would write to standard output
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Ran(int(code or 0), *texts)


def start(folder: Path, *words: str | Path) -> subprocess.Popen[str]:
    """Begin `surefill …` in a process of its own."""
    command = [sys.executable, "-m", "surefill", *(str(word) for word in words)]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def on_a_full_disk(folder: Path, *words: str | Path, bytes_max: int = 0) -> Ran:
    """Run `surefill …` in a process whose files cannot grow beyond so many bytes."""
    command = [sys.executable, "-B", "-m", "surefill", *(str(word) for word in words)]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))

    ran = subprocess.run(command, cwd=folder, text=True, capture_output=True, preexec_fn=limited, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def configured(folder: Path, text: str = SYNTHETIC) -> Path:
    """A configuration file in the folder."""
    file = folder / "surefill.yaml"
    file.write_text(text)
    return file


def traded(folder: Path, more: str = "") -> Path:
    """A configuration whose market has been traded."""
    file = configured(folder, SYNTHETIC + more)
    ran = surefill("trade", "-c", file, "--json", "--no-artefacts")
    assert ran.code == 0, ran.err
    return file


def tampered(folder: Path, seq: int) -> None:
    """Somebody with the file's rights edits an event of the journal in the folder."""
    with sqlite3.connect(folder / "surefill.journal") as journal:
        journal.execute("DROP TRIGGER events_update")
        changed = "CAST(replace(CAST(payload AS TEXT), '1', '2') AS BLOB)"
        journal.execute(f"UPDATE events SET payload = {changed} WHERE seq = ?", (seq,))
    journal.close()


def cut_off(folder: Path) -> None:
    """Somebody with the file's rights deletes the last event of the journal in the folder."""
    with sqlite3.connect(folder / "surefill.journal") as journal:
        journal.execute("DROP TRIGGER events_delete")
        journal.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    journal.close()
