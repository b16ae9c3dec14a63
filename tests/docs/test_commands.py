"""The commands of the pages do what the pages say: each `$ …` of a console block is run, in order, in one folder.

A plain `surefill …` runs in this process, which is quicker; whatever needs a shell or stays gets processes of its own.

`# exits with 7` after a command is the exit code that it must have, 0 otherwise; `&` at its end leaves it running, and
goes on when its engine answers. What a page shows below a command must be among its output; `…` stands for anything.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.running import surefill
from tests.docs.pages import ROOT, blocks, name_of

PAGES = [
    page
    for name in ("operations", "journal", "strategies", "sweeps", "data", "reports")
    if (page := ROOT / "docs" / f"{name}.md").exists()
]
WAIT_S = 20.0


class Command(NamedTuple):
    """A command as a page shows it."""

    line: int
    text: str
    exit_code: int
    output: tuple[str, ...]


def commands(page: Path) -> Iterator[Command]:
    for block in blocks(page, "console"):
        for number, part in enumerate(re.split(r"^\$ ", block.text, flags=re.MULTILINE)):
            if not part.strip():
                continue
            assert number, f"{page.name}, line {block.line}: a console block begins with a command"
            first, *output = part.rstrip().split("\n")
            text, _, comment = first.partition("  # ")
            code = re.fullmatch(r"exits with (\d+)", comment.strip())
            line = block.line + block.text[: block.text.index(part)].count("\n")
            yield Command(line, text.strip(), int(code[1]) if code else 0, tuple(filter(str.strip, output)))


def shown(output: str, expected: str) -> bool:
    """Whether a line of the output is the expected one, apart from the width of its gaps."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in expected.split("…"))
    return any(re.fullmatch(pattern, " ".join(line.split())) for line in output.splitlines())


class Shell:
    """A folder in which a page's commands are run, and what still runs there."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        self._environment = {"PATH": path, "HOME": str(folder), "COLUMNS": "200", "USER": "ann", "LOGNAME": "ann"}
        self._environment["SUREFILL__FEED__SYMBOLS"] = '["AAPL"]'  # one symbol of the demo's five is quicker
        patch.chdir(folder)
        for name, value in self._environment.items():
            patch.setenv(name, value)

    def run(self, text: str) -> tuple[int, str]:
        if re.fullmatch(r"surefill [^|&;<>$*]+", text):
            ran = surefill(*shlex.split(text)[1:])
            return ran.code, ran.out + ran.err
        done = subprocess.run(
            ["bash", "-c", text], cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def begin(self, text: str) -> None:
        """Start a command that stays, and wait until its engine can be asked."""
        with (self._folder / "background.log").open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {text}"], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        self._running.append(process)
        until = time.monotonic() + WAIT_S
        while "takes intents" not in self.run("surefill status")[1]:
            assert time.monotonic() < until, (self._folder / "background.log").read_text()
            time.sleep(0.1)

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.terminate()
            process.wait(WAIT_S)

    def wait(self) -> None:
        """Wait for what was told to stop."""
        for process in self._running:
            process.wait(WAIT_S)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(tmp_path, monkeypatch)
    try:
        for command in commands(page):
            where = f"{name_of(page)}, line {command.line}: {command.text}"
            if command.text.endswith("&"):
                shell.begin(command.text.removesuffix("&").strip())
                continue
            exit_code, output = shell.run(command.text)
            assert exit_code == command.exit_code, f"{where} exits with {exit_code}:\n{output}"
            missing = [line for line in command.output if not shown(output, line)]
            assert missing == [], f"{where} says:\n{output}"
            if command.text == "surefill stop":
                shell.wait()
    finally:
        shell.end()


def test_commands_are_read_with_their_exit_codes_and_outputs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("x\n```console\n$ one  # exits with 7\nits … end\n\n$ two\n```\n")

    assert list(commands(page)) == [Command(3, "one", 7, ("its … end",)), Command(6, "two", 0, ())]
    assert shown(" its   very  end \nmore", "its … end")
    assert not shown("its very end, or not", "its … end")
