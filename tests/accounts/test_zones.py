"""One calendar (R34): Python and SQL decide days by the same pinned rules, and zones are places that both know."""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, User
from accounts.zone_rules import check_zones, load_zone_rules, offered_zones
from accounts.zones import FIRST, LAST, known_zone, offsets_of, places, today_in, zones_at
from tests.accounts.zones import in_zone
from tests.guarding import INSERTS, UPDATES, named, refused_by, sql

EXERCISED = {"account_timezone_is_offered"}
NOT_OFFERED = ["localtime", "EST", "CET", "Etc/GMT+5", "Etc/UTC", "US/Eastern", "Mars/Olympus", "", "america/new_york"]
NOVEMBER = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)


def test_python_reads_the_pinned_rules_and_no_file_of_this_machine() -> None:
    assert zoneinfo.TZPATH == ()
    with files("tzdata").joinpath("zoneinfo", "America", "Vancouver").open("rb") as file:
        pinned = ZoneInfo.from_file(file)
    for days in range(0, 3_650, 7):
        moment = NOVEMBER + timedelta(days=days)
        assert moment.astimezone(ZoneInfo("America/Vancouver")).utcoffset() == moment.astimezone(pinned).utcoffset()


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from(sorted(places())),
    moment=st.integers(0, (LAST - FIRST).days * 1440 - 1).map(lambda minutes: FIRST + timedelta(minutes=minutes)),
)
def test_an_instant_has_one_day(db: None, zone: str, moment: datetime) -> None:
    assert sql("SELECT local_day(%s, %s)", zone, moment) == [(moment.astimezone(ZoneInfo(zone)).date(),)]


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Casablanca", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_an_instant_has_one_day_around_each_change_of_the_clock(db: None, zone: str) -> None:
    local = ZoneInfo(zone)
    for change, _ in offsets_of(local):
        for near in (change - timedelta(seconds=1), change, change + timedelta(hours=18), change - timedelta(hours=18)):
            expected = near.astimezone(local).date()
            assert sql("SELECT local_day(%s, %s)", zone, near) == [(expected,)], near


def test_the_offsets_of_a_zone_are_all_its_changes() -> None:
    zone = known_zone("America/Chicago")
    assert zone is not None
    found = offsets_of(zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert found == [
        (datetime(2026, 1, 1, tzinfo=UTC), -6 * 3600),
        (datetime(2026, 3, 8, 8, tzinfo=UTC), -5 * 3600),
        (datetime(2026, 11, 1, 7, tzinfo=UTC), -6 * 3600),
    ]


def test_places_can_be_chosen_and_nothing_else(db: None) -> None:
    offered = offered_zones()
    assert {"UTC", "America/New_York", "America/Vancouver", "Asia/Kathmandu", "Pacific/Chatham"} <= set(offered)
    assert not set(offered) & set(NOT_OFFERED)
    assert set(offered) <= set(places())
    of_server = {name for (name,) in sql("SELECT name FROM pg_timezone_names")}
    assert set(offered) == set(places()) & of_server


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_a_zone_that_is_no_place_is_refused_in_words(db: None, name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Account(number="100009", company="Acme", timezone=name).full_clean()
    assert set(refusal.value.error_dict) == {"timezone"}


@pytest.mark.parametrize("way", INSERTS, ids=named)
def test_the_database_refuses_a_new_account_in_a_zone_that_is_no_place(db: None, way: Callable[[Any], None]) -> None:
    for name in ("localtime", "EST", "Etc/GMT+5", "Mars/Olympus"):
        with refused_by("account_timezone_is_offered"):
            way(Account(number="100009", company="Acme", timezone=name, created_at=NOVEMBER))


@pytest.mark.parametrize("way", UPDATES, ids=named)
def test_the_database_refuses_to_move_an_account_into_such_a_zone(account: Account, way: Callable[..., None]) -> None:
    for name in ("localtime", "CET", "Mars/Olympus"):
        with refused_by("account_timezone_is_offered"):
            way(account, timezone=name)


def test_the_zone_is_looked_for_by_place_or_country(make_user: Callable[..., User], client: Client) -> None:
    client.force_login(make_user("ada@example.com", is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:accounts_account_add")).content.decode()
    assert '<option value="America/Vancouver">America/Vancouver – Canada</option>' in page
    assert "unfold-admin-autocomplete" in page
    assert 'value="US/Eastern"' not in page


@pytest.mark.parametrize("zone", ["CET", "Mars/Olympus"])
def test_an_account_from_before_keeps_its_zone_and_can_be_saved(
    account: Account, make_user: Callable[..., User], client: Client, zone: str
) -> None:
    in_zone(account, zone)
    account.refresh_from_db()
    account.full_clean()
    account.company = "Acme and Sons"
    account.save()
    client.force_login(make_user("ada@example.com", is_staff=True, is_superuser=True))
    address = reverse("admin:accounts_account_change", args=[account.pk])
    sent = {"company": "Acme Ltd", "timezone": zone}
    for name in ("contacts", "phone_numbers"):
        sent |= {f"{name}-TOTAL_FORMS": "0", f"{name}-INITIAL_FORMS": "0"}
    page = client.post(address, sent)
    assert page.status_code == 302, page.content.decode()
    account.refresh_from_db()
    assert (account.company, account.timezone) == ("Acme Ltd", zone)


def test_the_rules_are_loaded_once_and_again_when_they_are_others(db: None) -> None:
    load_zone_rules(using="default")
    sql("UPDATE accounts_timezone SET rules = '2001a to 2075', shifts[1] = 0 WHERE name = 'Asia/Tokyo'")
    sql("DELETE FROM accounts_timezone WHERE name = 'Asia/Seoul'")
    load_zone_rules(using="default")
    assert sql(
        "SELECT name, shifts[1] FROM accounts_timezone WHERE name IN ('Asia/Tokyo', 'Asia/Seoul') ORDER BY 1"
    ) == [
        ("Asia/Seoul", 9 * 3600),
        ("Asia/Tokyo", 9 * 3600),
    ]


def ids() -> list[str]:
    return sorted(str(message.id) for message in check_zones(databases=["default"]))


def test_the_check_finds_nothing_wrong_with_a_zone_that_both_sides_know_alike(account: Account) -> None:
    in_zone(account, "America/New_York")
    assert ids() == []


def test_the_check_says_where_the_two_sides_differ(account: Account) -> None:
    """CET has daylight saving time in the pinned rules, but is a fixed offset in PostgreSQL."""
    in_zone(account, "CET")
    load_zone_rules(using="default")
    (message,) = check_zones(databases=["default"])
    assert message.id == "zones.W003"
    assert "other rules for the time zone CET" in message.msg


def test_the_check_names_the_accounts_in_a_zone_that_nobody_knows(account: Account) -> None:
    in_zone(account, "Mars/Olympus")
    (message,) = check_zones(databases=["default"])
    assert message.id == "zones.W001"
    assert account.number in message.msg


def test_migrate_brings_the_rules_of_a_newer_package(account: Account) -> None:
    """`migrate` runs the system checks first, as in a real upgrade."""
    sql("UPDATE accounts_timezone SET rules = '2001a to 2075', shifts[1] = 0 WHERE name = %s", account.timezone)
    assert ids() == ["zones.W004"]
    call_command("migrate", skip_checks=False, verbosity=0)
    assert ids() == []


def test_the_check_finds_stored_rules_that_are_not_the_pinned_ones(account: Account) -> None:
    sql("UPDATE accounts_timezone SET shifts[1] = 0 WHERE name = %s", account.timezone)
    assert ids() == ["zones.E001"]


def test_the_day_it_is_where_each_account_is(make_account: Callable[..., Account]) -> None:
    zones = ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago", "Asia/Kathmandu"]
    made = [make_account(f"20000{place}", timezone=zone) for place, zone in enumerate(zones)]
    bad = make_account("200009")
    in_zone(bad, "Mars/Olympus")
    moment = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
    days = dict(Account.objects.annotate(day=today_in("timezone", moment, later=1)).values_list("number", "day"))
    assert [days[account.number] for account in made] == [
        date(2026, 11, 28),
        date(2026, 11, 27),
        date(2026, 11, 26),
        date(2026, 11, 27),
    ]
    assert days[bad.number] == date(2026, 11, 27)


def test_the_zones_where_it_is_night() -> None:
    night = zones_at(datetime(2026, 11, 26, 5, 59, tzinfo=UTC), until_hour=6)
    assert {"UTC", "America/New_York", "Europe/Lisbon"} <= set(night)
    assert not {"Europe/Paris", "Asia/Tokyo", "America/Honolulu", "Pacific/Honolulu"} & set(night)


def test_nothing_is_decided_for_an_account_in_a_zone_that_nobody_knows(account: Account) -> None:
    in_zone(account, "Mars/Olympus")
    account.refresh_from_db()
    assert account.zone.key == "UTC"
    with pytest.raises(ValidationError, match="Mars/Olympus"):
        account.decided_day(NOVEMBER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT local_day('Mars/Olympus', now())")
        assert cursor.fetchone() == (None,)
