"""Measures what this project measures, with N accounts: `python -m benchmarks 100000`."""

import argparse
import os

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("accounts", nargs="?", type=int, default=10_000, help="how many accounts (10000)")
    size = parser.parse_args().accounts
    if size < 1:
        parser.error("at least one account is needed")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks import activation  # noqa: PLC0415 - models can be imported once Django is set up

    activation.run(size)


if __name__ == "__main__":
    main()
