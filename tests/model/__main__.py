"""Check the model in `account.pml` with SPIN: in every order of its steps it holds, and each broken variant fails.

`make model` runs it; it needs SPIN and a C compiler.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

MODEL = Path(__file__).parent / "account.pml"
BROKEN = re.findall(r"^ \*   ([A-Z_]+) ", MODEL.read_text(), re.MULTILINE)
FOUND = re.compile(r"errors: (\d+)\n\s*(\d+) states, stored", re.MULTILINE)


def check(folder: str, *options: str) -> tuple[int, int]:
    """Return the number of errors that SPIN found in this variant of the model, and of the states that it saw."""
    for command in (
        ["spin", *options, "-a", str(MODEL)],
        ["cc", "-O2", "-DSAFETY", "-o", "pan", "pan.c"],
        ["./pan", "-m100000"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    if "error: max search depth too small" in done.stdout or not (found := FOUND.search(done.stdout)):
        raise RuntimeError(f"SPIN did not finish:\n{done.stdout}")
    return int(found[1]), int(found[2])


def main() -> int:
    assert len(BROKEN) >= 3
    with TemporaryDirectory() as folder:
        errors, states = check(folder)
        print(f"The model: {states:,} states, {errors or 'no'} errors")  # noqa: T201 - its output
        failed = errors > 0
        for variant in BROKEN:
            errors, _ = check(folder, f"-D{variant}")
            print(f"{variant}: {'fails, as it must' if errors else 'HOLDS, but must fail'}")  # noqa: T201
            failed = failed or not errors
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
