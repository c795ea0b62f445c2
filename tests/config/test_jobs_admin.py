"""Jobs in the back office: who sees them, who can retry a failed one, and how."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from core.jobs.noting import keep_error
from core.models import Job
from tests.config.queue import queued, state

LIST = "/admin/core/job/"
REASON = "ValueError: The feed <b>is</b> wrong"


@pytest.fixture
def failed(db: None) -> Job:
    job = queued("billing.bill_run", "failed", attempts=5)
    keep_error(job.pk, f"Traceback\n  deep inside\n{REASON}")
    return job


def page(job: Job, verb: str = "change") -> str:
    return reverse("admin:core_job_change", args=[job.pk]) if verb == "change" else f"{LIST}{job.pk}/{verb}/"


def menu(answer: Any) -> dict[str, Any]:
    return {
        item["title"]: item.get("badge") for group in answer.context["sidebar_navigation"] for item in group["items"]
    }


@pytest.mark.parametrize("who", ["member", "biller", "admin_user"])
def test_the_teams_and_administrators_see_jobs_and_why_they_failed(
    failed: Job, client: Client, who: str, request: pytest.FixtureRequest
) -> None:
    queued("core.clean_up", "succeeded", attempts=1)
    client.force_login(request.getfixturevalue(who))
    answer = client.get(LIST)
    assert [row.task_name for row in answer.context["cl"].result_list] == ["billing.bill_run", "core.clean_up"]
    text = answer.content.decode()
    assert "Bill run" in text
    assert "ValueError: The feed &lt;b&gt;is&lt;/b&gt; wrong" in text
    assert menu(answer)["Jobs"] == 1
    text = client.get(page(failed)).content.decode()
    assert "deep inside" in text
    assert page(failed, "retry") in text
    assert "UTC: a worker began it" in text
    assert client.get(f"{LIST}{failed.pk}/history/").status_code == 200


def test_without_a_failed_job_there_is_no_badge(db: None, client: Client, member: User) -> None:
    queued("core.clean_up", "succeeded")
    client.force_login(member)
    assert menu(client.get(LIST))["Jobs"] is None


@pytest.mark.parametrize("job", ["doing", "todo", "succeeded"])
def test_only_a_failed_job_offers_to_be_tried_again(db: None, client: Client, member: User, job: str) -> None:
    other = queued("core.clean_up", job)
    client.force_login(member)
    text = client.get(page(other)).content.decode()
    assert page(other, "retry") not in text
    before = state(other)
    assert "Only a job that failed" in client.post(page(other, "retry"), follow=True).content.decode()
    assert state(other) == before


def test_looking_tries_nothing_again_and_posting_does_it_once(failed: Job, client: Client, member: User) -> None:
    client.force_login(member)
    answer = client.get(page(failed, "retry"))
    assert answer.status_code == 200
    assert "It failed after 5 attempts" in answer.content.decode()
    assert state(failed) == ("failed", 5)
    done = client.post(page(failed, "retry"), follow=True).content.decode()
    assert "“Bill run” is waiting for a worker again." in done
    assert state(failed) == ("todo", 6)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (member, str(failed.pk), "Tried again.")
    assert "Only a job that failed" in client.post(page(failed, "retry"), follow=True).content.decode()
    assert (state(failed), LogEntry.objects.count()) == (("todo", 6), 1)


def test_a_post_without_a_token_tries_nothing_again(failed: Job, member: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    assert client.post(page(failed, "retry")).status_code == 403
    assert state(failed) == ("failed", 5)


def test_who_may_only_look_can_not_try_again(failed: Job, client: Client, member: User) -> None:
    permissions = member.groups.get().permissions
    permissions.remove(permissions.get(codename="retry_job"))
    client.force_login(member)
    assert page(failed, "retry") not in client.get(page(failed)).content.decode()
    for ask in (client.get, client.post):
        assert ask(page(failed, "retry")).status_code == 403
    assert state(failed) == ("failed", 5)


@pytest.mark.parametrize(("who", "status"), [("supporter", 403), ("owner", 302)])
def test_others_see_no_jobs(failed: Job, client: Client, who: str, status: int, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))
    for address in (LIST, page(failed), page(failed, "retry")):
        assert client.get(address).status_code == status
        assert client.post(address).status_code == status
    assert state(failed) == ("failed", 5)
    if who == "supporter":
        assert "Jobs" not in menu(client.get("/admin/"))


def test_nobody_writes_a_job_by_hand(failed: Job, admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.get(f"{LIST}{failed.pk}/delete/").status_code == 403
    assert admin_client.post(page(failed), {"status": "todo"}).status_code == 403
    assert state(failed) == ("failed", 5)


def test_the_librarys_own_pages_are_gone() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:procrastinate_procrastinatejob_changelist")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=failed", 1),
        ("state=succeeded", 2),
        ("state=nonsense", 3),
        ("job=core.clean_up", 2),
        ("job=nothing", 0),
    ],
)
def test_the_list_is_narrowed_by_state_and_job(
    failed: Job, client: Client, member: User, query: str, count: int
) -> None:
    for _ in range(2):
        queued("core.clean_up", "succeeded")
    client.force_login(member)
    answer = client.get(f"{LIST}?{query}", follow=True)
    assert len(answer.context["cl"].result_list) == count


def test_the_list_costs_the_same_however_many_there_are(
    failed: Job, client: Client, member: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        queued("core.clean_up", "succeeded")
    client.force_login(member)
    with django_assert_max_num_queries(14):
        assert len(client.get(LIST).context["cl"].result_list) == 31
