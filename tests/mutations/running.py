"""Breaking a copy of the program in one place, and asking tests whether they notice.

`python -m tests.mutations.running`, which is `scripts/mutations`: the whole table, or the rows that a word is in.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutations.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "testing.md"
BEGIN = "<!-- Written by scripts/mutations --write from tests/mutations/mutants.py: edit that. -->\n"
END = "<!-- Here the written part ends. -->\n"
PATIENCE_S = 300
FAILED = re.compile(r"^FAILED (\S+?)(?:\[| - |$)", re.MULTILINE)


class Unusable(Exception):
    """The tests could not be run on the copy: that proves nothing."""


def mutated(mutant: Mutant, text: str) -> str:
    """The file with the rule taken out. Raises Unusable where the row does not name one place."""
    count = text.count(mutant.text)
    if count != 1:
        raise Unusable(f"{mutant.what}: its text stands {count} times in {mutant.file}, not once")
    return text.replace(mutant.text, mutant.becomes)


def unnoticed(mutant: Mutant) -> list[str]:
    """The tests of the row that pass all the same on a program with the rule taken out; none: it is killed."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        file = source / "surefill" / mutant.file
        file.write_text(mutated(mutant, file.read_text()))
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()
        failed = failures(source, mutant.tests)
    return [test for test in mutant.tests if not any(name.startswith(test) for name in failed)]


def failures(source: Path, tests: Iterable[str]) -> set[str]:
    """The tests that fail on the program in `source`. Raises Unusable where they do not come to a verdict."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--tb=no", "-rf", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(source), "CI": "1"}
    try:
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"no verdict within {PATIENCE_S} s: {' '.join(tests)}") from error
    if run.returncode not in (0, 1):
        raise Unusable(f"pytest ended with {run.returncode}: {run.stdout[-2_000:]}{run.stderr[-2_000:]}")
    return set(FAILED.findall(run.stdout))


def _told(mutant: Mutant) -> tuple[Mutant, str, float]:
    began = time.monotonic()
    try:
        missed = unnoticed(mutant)
    except Unusable as error:
        return mutant, f"ERROR {error}", time.monotonic() - began
    return mutant, f"SURVIVED {', '.join(missed)}" if missed else "killed", time.monotonic() - began


def table(verdicts: Iterable[tuple[Mutant, str]]) -> str:
    """Markdown: what was taken out, and which tests noticed."""
    lines = ["| rule | taken out | noticed by | verdict |", "|---|---|---|---|"]
    for mutant, verdict in verdicts:
        tests = ", ".join(f"`{test}`" for test in mutant.tests)
        lines.append(f"| {mutant.rule} | {mutant.what} | {tests} | {verdict.partition(' ')[0]} |")
    return "\n".join(lines) + "\n"


def write(verdicts: Sequence[tuple[Mutant, str]]) -> None:
    """Put the table into docs/testing.md."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table(verdicts)}\n{END}{tail}")


def main() -> int:
    """Run the rows; 1 if one survived or could not be tried."""
    parser = argparse.ArgumentParser(prog="scripts/mutations", description="Break the program, see the tests notice.")
    parser.add_argument("words", nargs="*", help="only rows with one of these words in rule, text or file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="rows at a time")
    parser.add_argument("--write", action="store_true", help="put the result into docs/testing.md")
    options = parser.parse_args()
    words: list[str] = options.words
    chosen = [row for row in MUTANTS if not words or any(word in " ".join(row[:3]) for word in words)]
    if options.write and words:
        parser.error("--write needs the whole table")
    verdicts: list[tuple[Mutant, str]] = []
    sound = partial(failures, ROOT / "src", sorted({test for row in chosen for test in row.tests}))
    with ThreadPoolExecutor(options.jobs) as pool:
        before = pool.submit(sound)
        for mutant, verdict, took_s in pool.map(_told, chosen):
            verdicts.append((mutant, verdict))
            print(f"{mutant.rule:>8}  {verdict:10} {took_s:5.1f} s  {mutant.what}", flush=True)
        if before.result():
            print(f"these fail with nothing taken out: {', '.join(sorted(before.result()))}")
    killed = sum(verdict == "killed" for _, verdict in verdicts)
    print(f"{killed} of {len(verdicts)} killed")
    if options.write:
        write(verdicts)
    return 0 if killed == len(verdicts) and not before.result() else 1


if __name__ == "__main__":
    sys.exit(main())
