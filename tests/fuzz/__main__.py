"""Crawl as every role, then send N random requests: `python -m tests.fuzz --n 20000 --seed 7`.

Exit status 1 if a role gets more or less than the table says, or if anything is answered with a 5xx other than a
deliberate 503, takes too long, or leaves a traceback in the server's log. It prints the request and the seed.
"""

import argparse
import random
import sys
import time
from collections import Counter

from tests.fuzz.server import serving_the_demo  # first, since it chooses the server for tests

import django  # isort: skip

import os  # isort: skip

MOST_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=2_000, help="how many random requests (2000)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats the same requests")
    parser.add_argument("--write", action="store_true", help="write the table of what each role may do from what is")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.fuzz import crawl  # noqa: PLC0415 - it needs Django to be set up

    print(f"Seed {options.seed}")
    with serving_the_demo() as server:
        found = crawl.crawl(server.port)
        if options.write:
            crawl.write(found)
        expected = crawl.table()
        wrong = [
            f"{pattern}: {found.get(pattern, 'is gone')}, and the table says {expected.get(pattern, 'nothing')}"
            for pattern in dict.fromkeys([*found, *expected])
            if found.get(pattern) != expected.get(pattern)
        ]
        print(f"{len(found)} URLs as {len(crawl.EVERYBODY)} roles: {len(wrong)} answers other than in the table")
        wrong += fuzz(server.port, options.n, options.seed)
        wrong += server.complaints()
        if wrong:
            print(server.log.read_text(encoding="utf-8", errors="replace")[-40_000:])
    for line in wrong[:MOST_SHOWN]:
        print(line)
    return 1 if wrong else 0


def fuzz(port: int, count: int, seed: int) -> list[str]:
    """Send the requests in turns as everybody, print what was answered, and return what went wrong."""
    from tests.fuzz import crawl  # noqa: PLC0415
    from tests.fuzz.requests import Requests  # noqa: PLC0415
    from tests.fuzz.session import logged_in  # noqa: PLC0415

    sessions = [logged_in(port, who.email) for who in crawl.EVERYBODY]
    keys = crawl.Keys(sessions[-1])
    paths = [crawl.filled(pattern, who, keys) for pattern in crawl.patterns() for who in crawl.EVERYBODY[1:4]]
    requests = Requests(seed, [*paths, "/healthz", "/readyz", "/static/nothing.css", "/metrics"])
    answers: Counter[tuple[str, str]] = Counter()
    wrong = []
    begun = time.monotonic()
    for number in range(count):
        place = number % len(sessions)
        session = sessions[place]
        request = requests.next(session.cookies.get("csrftoken", ""))
        before = dict(session.cookies)
        try:
            status = session.send(request.method, request.path, body=request.body, headers=request.headers).status
        except TimeoutError:
            status = -1
        session.cookies = before  # whatever was done to the session, the next request has one again
        answers[crawl.EVERYBODY[place].role, f"{status // 100}xx" if status > 0 else "closed"] += 1
        if (status >= 500 and status not in (501, 503, 505)) or status == -1:
            wrong.append(f"{status} as {crawl.EVERYBODY[place].role}, request {number}: {request}")
    classes = sorted({kind for _, kind in answers})
    print(f"{count} requests in {time.monotonic() - begun:.0f} s")
    print(f"{'':18}" + "".join(f"{kind:>8}" for kind in classes))
    for who in crawl.EVERYBODY:
        print(f"{who.role:18}" + "".join(f"{answers[who.role, kind]:8}" for kind in classes))
    return wrong


if __name__ == "__main__":
    sys.exit(main())
