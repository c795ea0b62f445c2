"""The former login URLs redirect to the new ones, with their query strings."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("/sign-in/login/?next=/admin/", "/login/?next=/admin/"),
        ("/sign-in/logout/", "/logout/"),
        ("/sign-in/login", "/login/"),
        ("/sign-in/you/", "/login/you/"),
        ("/sign-in/password/reset/key/2-abc/", "/login/password/reset/key/2-abc/"),
        ("/sign-in/you/address/a%2Fb:c/", "/login/you/address/a/b:c/"),
    ],
)
def test_an_address_of_before_leads_to_its_new_one(before: str, now: str) -> None:
    for answer in (Client().get(before), Client().post(before)):
        assert (answer.status_code, answer["Location"]) == (308, now)


@pytest.mark.parametrize(
    "rest", ["/evil.example.com/", "\\\\evil.example.com/", "%2F%2Fevil.example.com", "%0d%0aX: y/"]
)
def test_it_never_leads_to_another_site(rest: str) -> None:
    location = Client().get(f"/sign-in/{rest}").headers.get("Location", "/login/")
    assert location.startswith("/login/")
