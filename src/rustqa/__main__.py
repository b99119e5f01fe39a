"""Lets `python -m rustqa` do what `rustqa` does."""

from rustqa.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
