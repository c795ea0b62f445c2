"""One of the processes that do everything at once."""

import os
import time
import traceback
from collections import Counter
from typing import Any

LONGEST_WAIT = 120  # seconds


def set_up() -> None:
    """Set Django up, with the database that the environment names."""
    import django  # noqa: PLC0415 - once the environment is set

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def work(seed: str, slices: int, length: float, barrier: Any, results: Any) -> None:
    """Do one deed after the other, slice by slice, and put what came of them into the queue."""
    set_up()
    from django.core.exceptions import PermissionDenied, ValidationError  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    from core.locks import Busy  # noqa: PLC0415
    from tests.attack.deeds import Deeds, NothingThere  # noqa: PLC0415

    counts: Counter[tuple[str, str]] = Counter()
    failures: list[str] = []
    try:
        deeds = Deeds(seed)
        for _ in range(slices):
            barrier.wait(LONGEST_WAIT)
            end = time.monotonic() + length
            while time.monotonic() < end:
                name, deed = deeds.next()
                try:
                    deed()
                    counts[name, "done"] += 1
                except (ValidationError, PermissionDenied, NothingThere):
                    counts[name, "refused"] += 1
                except Busy:
                    counts[name, "busy"] += 1
                except Exception as error:  # any other error is a failure, except a lock timeout
                    is_wait = isinstance(error, OperationalError) and "lock timeout" in str(error)
                    counts[name, "busy" if is_wait else "failed"] += 1
                    if not is_wait:
                        failures.append(f"{name} of {seed}: {''.join(traceback.format_exception(error))[-1_500:]}")
            barrier.wait(LONGEST_WAIT)
        barrier.wait(LONGEST_WAIT)
    finally:
        results.put((counts, failures))
