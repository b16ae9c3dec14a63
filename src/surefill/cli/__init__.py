"""The command line: `surefill …`. It loads settings, asks the rings below, and shows what they answer.

1. Results go to standard output, in words or, with `--json`, as one JSON document; everything else to standard error.
2. How it ended is the exit code (`surefill.cli.exit_codes`).
3. An error says what happened, with which values, and what to do next; a traceback is shown with `--debug` only.
"""


def main() -> None:
    """The entry point of the `surefill` program."""
    from surefill.cli.app import run

    run()
