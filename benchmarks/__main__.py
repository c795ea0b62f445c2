"""Measure the product's speed against limits, which are hand-written statements for the same work.

`python -m benchmarks 10000` runs all benchmarks that have a limit, with 10,000 accounts; separate several sizes with
commas. `python -m benchmarks bill_run --sizes 10000,100000,300000 --rounds 5` runs one benchmark.
"""

import argparse
import os
from collections.abc import Callable, Sequence

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks import activation, bill_run, documents, import_calls  # noqa: PLC0415 - models need Django to be set up

    with_limits: dict[str, Callable[[Sequence[int], int], None]] = {
        "activation": activation.run,
        "bill_run": bill_run.run,
        "documents": documents.run,
        "import_calls": import_calls.run,
    }
    by_name = {**with_limits, "import_alone": import_calls.run_alone}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="10000", help=f"numbers of accounts (10000), or one of {', '.join(by_name)}"
    )
    parser.add_argument("--sizes", default="10000", help="numbers of accounts, separated by commas (10000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    options = parser.parse_args()
    chosen = [by_name[options.what]] if options.what in by_name else with_limits.values()
    try:
        sizes = [int(size) for size in (options.sizes if options.what in by_name else options.what).split(",")]
    except ValueError:
        parser.error(f"{options.what!r} is neither a number of accounts nor one of {', '.join(by_name)}")
    if min(sizes) < 1 or options.rounds < 1:
        parser.error("numbers of accounts and rounds must be at least 1")
    for measure in chosen:
        measure(sizes, options.rounds)


if __name__ == "__main__":
    main()
