"""A silent feed is reported (R47): by the job, on the dashboard, in metrics and by the system check."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, User
from billing.calls.feed import check_feed, look_at_feed
from billing.models import CallFeed
from config.metrics import FromTheDatabase
from core.clock import database_now
from tests.billing.call_rows import imported, row

HOUR = timedelta(hours=1)


def metrics() -> dict[str, float]:
    families = [each for each in FromTheDatabase().collect() if each.name == "hostpilot_call_feed_warnings"]
    return {sample.labels["state"]: sample.value for family in families for sample in family.samples}


def test_before_the_first_import_there_is_no_feed(db: None) -> None:
    assert look_at_feed(now=database_now() + 1_000 * HOUR).warnings == []
    assert metrics() == {"silent": 0, "low": 0}


@pytest.mark.owner
def test_no_import_for_too_long_is_a_warning_everywhere(answered: PhoneNumber, biller: User, settings: Any) -> None:
    imported([row("c1")])
    assert look_at_feed(now=database_now() + 47 * HOUR).warnings == []
    [warning] = look_at_feed(now=database_now() + 50 * HOUR).warnings
    assert warning == "No calls were imported for 50 hours: the last file was “calls.csv”."
    assert metrics() == {"silent": 1, "low": 0}
    assert [each.id for each in check_feed(databases=["default"])] == ["billing.W003"]
    assert "billing.W003" in {each.id for each in run_checks(tags=[Tags.database], databases=["default"])}
    client = Client()
    client.force_login(biller)
    assert "No calls were imported for 50 hours" in client.get(reverse("admin:index")).content.decode()
    settings.CALL_FEED_SILENT_HOURS = 0
    assert look_at_feed(now=database_now() + 50 * HOUR).warnings == []
    assert CallFeed.objects.count() == 1


@pytest.mark.parametrize(("minutes", "warns"), [(0, True), (24, True), (25, False), (100, False)])
def test_a_day_far_below_the_usual_minutes_is_a_warning(
    answered: PhoneNumber, account: Account, minutes: int, warns: bool
) -> None:
    """Four weeks have 100 minutes on that weekday. The day itself is checked once it is over everywhere."""
    now = database_now()
    day = datetime.combine((now - 12 * HOUR).date() - timedelta(days=1), datetime.min.time(), UTC) + 18 * HOUR
    weeks = [row(f"c{week}", at=(day - timedelta(weeks=week)).isoformat(), seconds=6_000) for week in range(1, 5)]
    imported([*weeks, row("c0", at=day.isoformat(), seconds=60 * minutes)])
    found = look_at_feed(now=now).warnings
    assert bool(found) is warns
    if warns:
        assert f"has {minutes} minutes; 100 are usual" in found[0]
