"""Asks for every URL as everybody, and compares the answers with the table of what each role may do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import get_resolver

from tests.fuzz.session import Answer, Session, logged_in

TABLE = Path(__file__).parent / "allowed.txt"
HEADER = """\
# What each role is answered when it asks for a page (GET), one letter for each role:
#   2 the page   r it is led elsewhere   l to the login   3 not allowed (403)   4 no such page (404)   5 only POST (405)
# An empty POST is never answered better. Made by `python -m tests.fuzz --write`; read every line that changes.
"""
INVOICED = "100006"


@dataclass(frozen=True)
class Who:
    """A role: the demo's user who has it, and the account they ask for."""

    role: str
    email: str
    account: str = INVOICED


EVERYBODY = [
    Who("nobody", ""),
    Who("owner", "fiona@example.com"),
    Who("owner elsewhere", "hannah@example.com"),
    Who("technical", "olivia@example.com", "100002"),
    Who("billing", "olivia@example.com", "100004"),
    Who("viewer", "victor@example.com", "100002"),
    Who("onboarding team", "tom@example.com"),
    Who("billing team", "bea@example.com"),
    Who("support", "sam@example.com"),
    Who("administrator", "ada@example.com"),
]
# Posting these as somebody who may would end the session, or change what the next role is asked about.
NOT_POSTED = re.compile(r"logout|places|log_out|set_language|own_language|reauthenticate")


def patterns(resolver: Any = None, before: str = "") -> Iterator[str]:
    """Yield the pattern of every URL, once, without the marks of regular expressions around it."""
    for entry in (resolver or get_resolver()).url_patterns:
        whole = before + str(entry.pattern).removeprefix("^").removesuffix("$")
        if hasattr(entry, "url_patterns"):
            yield from patterns(entry, whole)
        else:
            yield whole


def crawl(port: int) -> dict[str, str]:
    """Return the letters of each URL pattern, one for each of EVERYBODY.

    Raises AssertionError if a POST gets further than a GET.
    """
    sessions = [logged_in(port, who.email) for who in EVERYBODY]
    keys = Keys(sessions[-1])
    found: dict[str, str] = {}
    for pattern in dict.fromkeys(patterns()):
        letters = ""
        for who, session in zip(EVERYBODY, sessions, strict=True):
            path = filled(pattern, who, keys)
            letter = letter_of(session.send("GET", path))
            if letter in "l34" and not NOT_POSTED.search(pattern):
                posted = letter_of(session.post(path))
                assert posted in "l345", f"POST {path} as {who.role}: {posted}, although GET is {letter}"
            letters += letter
        found[pattern] = letters
    return found


def letter_of(answer: Answer) -> str:
    if answer.status in (301, 302):
        return "l" if answer.location.startswith(("/login/?", "/login/reauthenticate/", "/admin/login/?")) else "r"
    letters = {200: "2", 422: "2", 400: "2", 403: "3", 404: "4", 405: "5"}
    return letters.get(answer.status, f"({answer.status})")


class Keys:
    """The primary key of a row of each model in the admin, read from its list as an administrator."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: dict[str, str] = {}

    def of(self, model: str) -> str:
        if model not in self.known:
            body = self.session.send("GET", f"/admin/{model}/").body.decode(errors="replace")
            found = re.search(rf'"/admin/{model}/(\d+)/', body)
            self.known[model] = found[1] if found else "1"
        return self.known[model]


def filled(pattern: str, who: Who, keys: Keys) -> str:
    """Return a path of the pattern, with the account of the role and with keys that are there."""
    model = re.match(r"admin/(\w+/\w+)/", pattern)
    key = keys.of(model[1]) if model else "1"
    path = pattern.replace("<str:number>", who.account)
    path = path.replace("<int:invoice>", "1")  # by its number
    path = path.replace("<uuid:token>", "00000000-0000-4000-8000-000000000000")
    path = re.sub(r"<path:object_id>|<id>|<int:pk>", key, path)
    path = re.sub(r"\^?\(\[\^/\]\+\)", key, path)
    path = path.replace("(?P<app_label>core|accounts|auth|onboarding|subscriptions|billing)", "accounts")
    path = re.sub(r"\(\?P<\w+>[^)]*\)|<\w+:\w+>", "x", path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\", "")


def table() -> dict[str, str]:
    """Return the table as it is written down."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {pattern: letters for letters, __, pattern in (line.partition("  ") for line in lines if line)}


def write(found: dict[str, str]) -> None:
    roles = "# The roles, in this order: " + ", ".join(who.role for who in EVERYBODY) + ".\n"
    lines = "".join(f"{letters}  {pattern}\n" for pattern, letters in found.items())
    TABLE.write_text(HEADER + roles + lines, encoding="utf-8")
