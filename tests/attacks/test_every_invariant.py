"""Every invariant is attacked past Python, as owner of the tables and as the web role, by the table in `ways.py`."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from psycopg.errors import InsufficientPrivilege

from core.guards import SharedGuard, all_guards
from tests import roles
from tests.attacks.covered import COVERED
from tests.attacks.interleavings import INTERLEAVINGS
from tests.attacks.ways import ANSWERS, ELSEWHERE, NO_RIGHT, WAYS, Answer, Way
from tests.attacks.world import World, make_world
from tests.guarding import everything, settle, sql
from tests.policy_references import ROOT

pytestmark = pytest.mark.owner
INVARIANTS = re.findall(r"^### (I\d+)$", (ROOT / "docs/policy/invariants.md").read_text(), re.MULTILINE)
PLANNED = {"I21", "I29"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, dict[str, Any]]]:
    """The rows to attack and all rows of ours as they are, in one transaction that is rolled back."""
    block = transaction.atomic()
    block._from_testcase = True  # so that actions may open durable transactions in it, as in any other test
    with django_db_blocker.unblock(), block:
        made = make_world()
        # Otherwise, guards about time and against TRUNCATE are lenient in the tests' database.
        sql("SET LOCAL guards.clock = 'refused'; SET LOCAL guards.truncate = 'refused'")
        yield made, everything()
        transaction.set_rollback(True)


def acting_as(role: str) -> Any:
    """Return the block in which the attack runs."""
    if role == "web" and not roles.may_be_made():
        pytest.skip("The role of DATABASE_URL can't make others")
    return roles.as_role("web") if role == "web" else nullcontext()


def refusal(world: World, way: Way) -> str:
    """Return the name of what refuses the attack, or "written"."""
    try:
        with transaction.atomic():
            if isinstance(way.attack, str):
                sql(way.attack.format(**world.keys()))
            else:
                way.attack(world)
            settle()
            transaction.set_rollback(True)
    except IntegrityError as error:
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        return NO_RIGHT
    return "written"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["owner", "web"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.code} {way.name}")
def test_it_is_refused(world: tuple[World, dict[str, Any]], way: Way, role: str) -> None:
    rows, before = world
    with acting_as(role):
        found = refusal(rows, way)
    assert found == (way.web if role == "web" else way.owner)
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["owner", "web", "control"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.guard)
def test_it_is_answered(world: tuple[World, dict[str, Any]], answer: Answer, role: str) -> None:
    """The control has the guard switched off, and nothing else writes what it would write."""
    rows, before = world
    keys = rows.keys()
    with transaction.atomic():
        if role == "control":
            sql(f"ALTER TABLE {answer.table} DISABLE TRIGGER {answer.guard}")
        with acting_as(role):
            sql(answer.attack.format(**keys))
            settle()
        assert sql(answer.shows.format(**keys)) == [(0 if role == "control" else 1,)]
        transaction.set_rollback(True)
    assert everything() == before


def test_every_guard_with_a_body_of_its_own_is_in_the_table() -> None:
    """Those that many tables share are attacked on each by the tests of their own."""
    named = {way.owner for way in WAYS} | {answer.guard for answer in ANSWERS}
    own = {guard.name for guard in all_guards() if not isinstance(guard, SharedGuard)}
    assert own - named == ELSEWHERE.keys()


def test_each_way_is_named_once() -> None:
    assert len({(way.code, way.name, str(way.attack)) for way in WAYS}) == len(WAYS)


def test_every_invariant_is_in_the_table() -> None:
    assert set(INVARIANTS) >= PLANNED
    named = {way.code for way in WAYS if way.code.startswith("I")} | COVERED.keys()
    assert named == set(INVARIANTS) - PLANNED


@pytest.mark.parametrize("code", sorted(set(INVARIANTS) - PLANNED))
def test_it_is_attacked_in_four_ways_or_by_tests_of_its_own(code: str) -> None:
    assert sum(way.code == code for way in WAYS) >= 4 or COVERED.get(code)


@pytest.mark.parametrize("test", sorted({test for tests in COVERED.values() for test in tests} | {*ELSEWHERE.values()}))
def test_what_covers_an_invariant_exists(test: str) -> None:
    assert callable(found(test))


@pytest.mark.parametrize("actions", INTERLEAVINGS, ids=" x ".join)
def test_each_interleaving_has_a_test_and_a_control(actions: tuple[str, str]) -> None:
    both = INTERLEAVINGS[actions]
    assert all(callable(found(test)) for test in both)


def found(test: str) -> Any:
    """Return the test of a module below `tests`, written as `folder.module::test`."""
    module, name = test.split("::")
    return getattr(import_module(f"tests.{module}"), name)
