"""Measures what this project measures: all with N accounts (`python -m benchmarks 100000`), or one with several sizes.

`python -m benchmarks bill_run --sizes 10000,100000,300000 --rounds 5`
"""

import argparse
import os

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", default="10000", help="how many accounts (10000), activation, or bill_run")
    parser.add_argument("--sizes", default="10000", help="how many accounts, one after the other, parted by commas")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    options = parser.parse_args()
    everything = options.what not in ("activation", "bill_run")
    sizes = [int(size) for size in (options.what if everything else options.sizes).split(",")]
    if min(sizes) < 1 or options.rounds < 1:
        parser.error("at least one account and one round are needed")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks import activation, bill_run  # noqa: PLC0415 - models can be imported once Django is set up

    if everything or options.what == "activation":
        for size in sizes:
            activation.run(size)
    if everything or options.what == "bill_run":
        bill_run.run(sizes, options.rounds)


if __name__ == "__main__":
    main()
