"""`python -m surefill` is `surefill`."""

from surefill.cli import main

if __name__ == "__main__":
    main()
