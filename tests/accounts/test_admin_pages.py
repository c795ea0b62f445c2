"""All admin pages of every model: they work, never fail on invalid input, and show history read-only."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from simple_history.admin import SimpleHistoryAdmin

from accounts.models import User
from core.models import Job
from tests.accounts.pages import page

JUNK = ["p=x", "p=999999", "o=x.9", "all=", "e=1", "q=%00", "q=%27%22", "pk=x", "id__exact=99999999999999999999", "x=y"]
JUNK += ["account=x", "account__id__exact=1%00", "number__exact=%00", "mode=%00", "mode=x", "at__gte=x", "e=1&q=%00"]
JUNK += ["by__password__startswith=p", "rule=%00&action=x", "company__regex=(", "_to_field=x", "started_at__gte=13"]


def models() -> list[Any]:
    """Return the models of the admin, sorted, since pytest-xdist needs the same order in all processes."""
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def with_history() -> list[Any]:
    return [model for model in models() if isinstance(admin.site._registry[model], SimpleHistoryAdmin)]


@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_every_page_answers_and_junk_is_never_an_error_page(
    model: Any, everything: None, root: User, login: Callable[[User], Client]
) -> None:
    client = login(root)
    row = model.objects.first()
    assert client.get(page(model, "changelist")).status_code == 200
    for junk in JUNK:
        answer = client.get(f"{page(model, 'changelist')}?{junk}")
        assert answer.status_code in (200, 400) or answer.url.removeprefix(page(model, "changelist")) == "?e=1", junk
    form = client.get(page(model, "add"))
    assert form.status_code in (200, 403)
    assert "DatabaseDefault" not in form.content.decode()
    assert client.get(page(model, "change", row.pk)).status_code == 200
    assert client.get(page(model, "history", row.pk)).status_code == 200
    assert client.get(page(model, "delete", row.pk)).status_code in (200, 403)
    for key in ("x", "%00", "0", "-1", "9" * 30):
        for name in ("change", "history", "delete"):
            answer = client.get(page(model, name, "KEY").replace("KEY", key), follow=True)
            assert answer.status_code in (200, 400, 403, 404), (name, key)
    picked = {"action": "delete_selected", "_selected_action": ["x", "%00", "-1"], "index": "0"}
    assert client.post(page(model, "changelist"), picked, follow=True).status_code in (200, 403)


@pytest.mark.parametrize("model", with_history(), ids=lambda model: model._meta.label)
@pytest.mark.parametrize("who", ["root", "member", "supporter"])
def test_history_is_read_and_never_written(
    model: Any, who: str, everything: None, login: Callable[[User], Client], request: pytest.FixtureRequest
) -> None:
    client = login(request.getfixturevalue(who))
    row = model.objects.first()
    version = model.history.filter(id=row.pk).first()
    before = list(model.objects.values()), list(model.history.values())
    for address in (page(model, "history", row.pk), page(model, "simple_history", row.pk, version.pk)):
        answer = client.get(address)
        assert answer.status_code == 200
        assert b"Revert" not in answer.content
        for forged in ({}, {"_save": "Revert"}, {"company": "Forged", "_change_history": "1"}):
            assert client.post(address, forged).status_code == 403
    assert (list(model.objects.values()), list(model.history.values())) == before
    for key, number in (("x", version.pk), (row.pk, "x"), (row.pk, "9" * 30)):
        assert client.get(page(model, "simple_history", key, number)).status_code == 404


@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_support_only_looks(model: Any, everything: None, supporter: User, login: Callable[[User], Client]) -> None:
    client = login(supporter)
    row = model.objects.first()
    seen = client.get(page(model, "changelist")).status_code
    assert seen == (403 if model in (Group, Job) else 200)
    assert client.get(page(model, "add")).status_code == 403
    assert client.post(page(model, "add"), {}).status_code == 403
    assert client.post(page(model, "change", row.pk), {}).status_code == 403
    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", models(), ids=lambda model: model._meta.label)
def test_customers_and_visitors_get_the_log_in(
    model: Any, owner: User, login: Callable[[User], Client], everything: None
) -> None:
    for client in (Client(), login(owner)):
        for address in (page(model, "changelist"), page(model, "change", model.objects.first().pk)):
            for answer in (client.get(address), client.post(address, {})):
                assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")
