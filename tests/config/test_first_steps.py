"""A new administrator sees on the dashboard what is still to set up, until a customer can be billed."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import Account, User
from billing.models import Issuer
from config.first_steps import first_steps
from core.groups import SUPPORT
from tests.billing.documents.parties import issuer
from tests.guarding import sql
from tests.roles import as_owner


@pytest.fixture
def empty(db: None) -> None:
    """A database as `migrate` leaves it."""
    with as_owner():
        sql("SET session_replication_role = replica; DELETE FROM billing_issuer")
        sql("SET session_replication_role = origin")


def done(visitor: User) -> dict[str, bool]:
    return {step.title: step.is_done for step in first_steps(visitor)}


def test_each_step_is_ticked_when_it_is_done(
    empty: None, root: User, settings: object, make_user: Callable[..., User], request: pytest.FixtureRequest
) -> None:
    titles = ["Issuer", "Catalog", "First account", "First colleague", "Email", "Second factor"]
    assert done(root) == dict.fromkeys(titles, False)
    make_user("sam@example.com", is_staff=True).groups.add(Group.objects.get(name=SUPPORT))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    Authenticator.objects.create(user=root, type=Authenticator.Type.TOTP, data={})
    issuer().save()
    assert [title for title, is_done in done(root).items() if not is_done] == ["Catalog", "First account"]
    request.getfixturevalue("catalogue")
    assert [title for title, is_done in done(root).items() if not is_done] == ["First account"]
    request.getfixturevalue("account")
    assert done(root) == {}


def test_the_dashboard_links_to_a_page_for_each_step(empty: None, root: User, client: Client) -> None:
    client.force_login(root)
    page = client.get("/admin/")
    assert "First steps" in page.content.decode()
    links = [step.link for step in page.context["steps"] if step.link]
    assert len(links) == 5
    assert [client.get(link).status_code for link in links] == [200] * 5


def test_only_administrators_see_them(empty: None, member: User, client: Client) -> None:
    client.force_login(member)
    assert "First steps" not in client.get("/admin/").content.decode()


def test_later_they_are_gone(account: Account, catalogue: None, root: User, client: Client) -> None:
    assert Issuer.objects.exists()
    client.force_login(root)
    assert "First steps" not in client.get("/admin/").content.decode()
