"""The page with the results of many: it is shown after a redirect, so a reload does nothing, and only to who asked."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.clock import database_now
from onboarding.models import Notice, Onboarding
from tests.onboarding.worklist import LIST, Make, keys, of, text_of, ticks


@pytest.mark.parametrize("kind", ["activate", "deadline"])
def test_a_reload_of_the_results_does_nothing_again(kind: str, make_installed: Make, team: Client) -> None:
    accounts = [make_installed("100002"), make_installed("100003")]
    day = accounts[0].day_of(database_now()) + timedelta(days=30)
    values = {"reason": "Agreed", "accounts": keys(*accounts), "on": day.isoformat(), "confirmed": "yes"}
    answer = team.post(f"{LIST}{kind}/", {**values, "despite": ticks(*accounts)}, follow=True)
    [(address, status)] = answer.redirect_chain
    assert status == 302
    assert ": 2 accounts" in text_of(answer)
    before = [of(account).history.count() for account in accounts], Notice.objects.count()
    for _ in range(2):
        again = team.get(address)
        assert ": 2 accounts" in text_of(again)
        assert again.context["accounts"] == answer.context["accounts"]
    assert ([of(account).history.count() for account in accounts], Notice.objects.count()) == before


def test_results_are_shown_only_to_who_made_them(make_installed: Make, root: User, team: Client) -> None:
    account = make_installed("100002")
    address = team.post(f"{LIST}owner/", {"confirmed": "yes", "accounts": keys(account), "owner": ""}).url  # type: ignore[attr-defined]
    other = Client()
    other.force_login(root)
    for client, path in ((other, address), (team, reverse("admin:onboarding_result", args=[uuid4()]))):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain == [(LIST, 302)]
        assert "This result is no longer available" in text_of(answer)


def test_an_address_that_is_no_result_is_no_error_page(team: Client) -> None:
    for token in ("x", "0", "%00", "..", "0" * 300):
        assert team.get(f"{LIST}result/{token}/", follow=True).status_code in (200, 400, 404)


def test_who_may_not_see_the_worklist_sees_no_result(biller: User, client: Client) -> None:
    biller.groups.clear()
    client.force_login(biller)
    assert client.get(reverse("admin:onboarding_result", args=[uuid4()])).status_code == 403
    assert not Onboarding.objects.active().exists()
