"""Measures what this project does beside its limits.

`python -m benchmarks 10000` measures all that has a limit, with so many accounts; several sizes are parted by commas.
`python -m benchmarks bill_run --sizes 10000,100000,300000 --rounds 5` measures one thing.
"""

import argparse
import os
from collections.abc import Callable, Sequence

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks import activation, bill_run, import_calls  # noqa: PLC0415 - models are there once Django is set up

    beside_their_limits: dict[str, Callable[[Sequence[int], int], None]] = {
        "activation": activation.run,
        "bill_run": bill_run.run,
        "import_calls": import_calls.run,
    }
    each = {**beside_their_limits, "import_alone": import_calls.run_alone}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", default="10000", help=f"how many accounts (10000), or {', '.join(each)}")
    parser.add_argument("--sizes", default="10000", help="how many accounts, one after the other, parted by commas")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    options = parser.parse_args()
    chosen = [each[options.what]] if options.what in each else beside_their_limits.values()
    try:
        sizes = [int(size) for size in (options.sizes if options.what in each else options.what).split(",")]
    except ValueError:
        parser.error(f"{options.what!r} is neither a number of accounts nor one of {', '.join(each)}")
    if min(sizes) < 1 or options.rounds < 1:
        parser.error("at least one account and one round are needed")
    for measure in chosen:
        measure(sizes, options.rounds)


if __name__ == "__main__":
    main()
