"""`make_roles` is killed (SIGKILL) at several steps and run again."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from core.roles.plan import plan
from tests import roles
from tests.forking import KILLED
from tests.guarding import sql
from tests.reliability.killing import BEFORE, points, run

pytestmark = [pytest.mark.owner, pytest.mark.django_db(transaction=True)]


def rights() -> list[tuple[Any, ...]]:
    """Return each right on each table of ours."""
    return sql(
        "SELECT relname, acl::text FROM pg_class CROSS JOIN LATERAL unnest(relacl) acl "
        "WHERE relnamespace = 'public'::regnamespace ORDER BY 1, 2"
    )


def test_killed_and_run_again_all_rights_are_given_or_none(transactional_db: None) -> None:
    if not roles.may_be_made():
        pytest.skip("The role of DATABASE_URL can't make others")
    names = roles.names()
    roles.make_roles()  # another test may have made views again, which then have the rights of new tables
    whole = rights()

    def take_away() -> list[tuple[Any, ...]]:
        for table in ("accounts_account", "billing_invoice", "onboarding_onboarding"):
            sql(f'REVOKE SELECT, INSERT ON {table} FROM "{names.web}", "{names.worker}"')
        sql(f'GRANT TRUNCATE ON accounts_refusal TO "{names.report}"')
        return rights()

    def work() -> None:
        call_command("make_roles", owner=names.owner)

    try:
        broken = take_away()
        status, told, steps = run(work)
        assert (status, rights()) == (0, whole), told
        for point in points(steps):
            assert take_away() == broken
            status, told, _ = run(work, dies_before=point)
            assert status == KILLED, told
            assert rights() == (broken if BEFORE in steps[point:] else whole)
            assert run(work)[0] == 0
            assert rights() == whole
            assert plan(connection, names) == []
    finally:
        roles.make_roles()
