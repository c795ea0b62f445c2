"""The admin's pages of calls: uploads (by the same code as the command), rejects as CSV, and read-only lists."""

import csv
import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import PhoneNumber, User
from billing.calls.importing import import_calls
from billing.models import CallImport, CallRecord, RejectedCall
from tests.billing.call_rows import asterisk_row, counts, file_of, imported, row, table

UPLOAD = "/admin/billing/callimport/import/"
PAGES = ["callimport", "callrecord", "rejectedcall"]


@pytest.fixture
def client(biller: User) -> Client:
    client = Client()
    client.force_login(biller)
    return client


def upload(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("october.csv", content, content_type="text/csv")
    return client.post(UPLOAD, {"file": file, "layout": "", "zone": "", **fields}, follow=True)


def listed(client: Client, name: str, **query: str) -> list[Any]:
    answer = client.get(reverse(f"admin:billing_{name}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_an_upload_does_what_the_function_does(answered: PhoneNumber, client: Client, biller: User) -> None:
    content = file_of([row("c1"), row("c2", seconds=-1), row("c1"), row("c3", to="+18005550199")])
    answer = upload(client, content)
    received = CallImport.objects.get()
    assert answer.redirect_chain == [(reverse("admin:billing_callimport_change", args=[received.pk]), 302)]
    assert (received.by, received.name, counts(received)) == (biller, "october.csv", (1, 0, 1, 0, 2))
    page = answer.content.decode()
    assert "1 call is new" in page
    assert "2 rows were rejected" in page
    assert "No account has this number." in page
    assert "Rejects as CSV" in page
    before = table()
    assert counts(import_calls(io.BytesIO(content), name="x", by=None)) == (0, 0, 2, 0, 2)
    assert table() == before


def test_an_upload_of_asterisk_needs_a_zone(answered: PhoneNumber, client: Client) -> None:
    content = gzip.compress(asterisk_row("1773000000.1").encode())
    answer = upload(client, content)
    assert answer.status_code == 200
    assert answer.context["form"].errors.as_data()["zone"][0].code == "no_zone"
    assert not CallImport.objects.exists()
    upload(client, content, zone="America/New_York")
    assert CallImport.objects.get().layout == "asterisk"
    assert CallRecord.objects.count() == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\0\0", b"%PDF-1.7", b"\x1f\x8bnot gzip"])
def test_a_file_that_is_none_is_refused_in_the_form(client: Client, content: bytes) -> None:
    answer = upload(client, content)
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not CallImport.objects.exists()


@pytest.mark.parametrize("fields", [{"zone": "Mars/Olympus"}, {"layout": "cobol"}])
def test_forged_choices_are_refused(client: Client, fields: dict[str, str]) -> None:
    assert upload(client, file_of([row("c1")]), **fields).context["form"].errors.keys() == fields.keys()
    assert not CallImport.objects.exists()


def test_a_big_upload_is_read_from_the_disk(answered: PhoneNumber, client: Client, settings: Any) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    upload(client, file_of(row(f"c{number}") for number in range(500)))
    assert CallRecord.objects.count() == 500


def test_only_the_billing_team_uploads(client: Client, supporter: User, member: User) -> None:
    for user in (supporter, member):
        other = Client()
        other.force_login(user)
        assert other.get(UPLOAD).status_code == 403
        assert upload(other, file_of([row("c1")])).status_code == 403
    assert Client().get(UPLOAD).status_code == 302
    assert "Import calls…" in client.get(reverse("admin:billing_callimport_changelist")).content.decode()
    assert client.get(UPLOAD).status_code == 200
    assert not CallImport.objects.exists()


def test_rejects_are_downloaded_without_formulas_and_imported_again(answered: PhoneNumber, client: Client) -> None:
    bad = [row("=1+1", seconds="x"), row("@c", caller="-1", seconds="x"), row("c3", at="+x"), '"=HYPERLINK(""x""']
    received = imported(bad)
    answer = client.get(f"/admin/billing/callimport/{received.pk}/rejects/")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="rejects-{received.pk}.csv"'
    content = b"".join(answer.streaming_content)  # type: ignore[arg-type]
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert rows[0] == ["call_id", "to", "from", "started_at", "seconds", "line", "reason"]
    assert [one[5] for one in rows[1:]] == ["2", "3", "4", "5"]
    cells = [cell for one in rows for cell in one if cell.startswith(("=", "+", "-", "@"))]
    assert set(cells) == {"+18005550100", "+12125550111"}  # numbers are only numbers
    assert rows[1][:2] == ["'=1+1", "+18005550100"]
    upload(client, content.replace(b",x,", b",1,"))
    assert set(CallRecord.objects.values_list("call_id", "caller")) == {("=1+1", "+12125550111"), ("@c", "-1")}


def test_an_import_without_rejects_offers_none(answered: PhoneNumber, client: Client) -> None:
    page = client.get(reverse("admin:billing_callimport_change", args=[imported([row("c1")]).pk])).content.decode()
    assert "Rejects as CSV" not in page
    assert "Rejected rows</h3>" not in page
    assert client.get("/admin/billing/callimport/999999/rejects/").status_code == 404
    assert client.get("/admin/billing/callimport/x/change/").status_code == 404


def test_rows_are_hostile_and_shown_as_text(answered: PhoneNumber, client: Client) -> None:
    received = imported([row("c1", seconds="<script>alert(1)</script>")])
    for page in (
        reverse("admin:billing_callimport_change", args=[received.pk]),
        reverse("admin:billing_rejectedcall_changelist"),
    ):
        content = client.get(page).content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;alert" in content


def test_calls_are_found_by_id_and_number_and_whether_matched(answered: PhoneNumber, client: Client) -> None:
    imported([row("c1"), row("c2", at="2026-03-01T12:00:00Z")])
    assert [call.call_id for call in listed(client, "callrecord")] == ["c2", "c1"]
    assert [call.call_id for call in listed(client, "callrecord", matched="no")] == ["c2"]
    assert [call.call_id for call in listed(client, "callrecord", matched="yes")] == ["c1"]
    assert [call.call_id for call in listed(client, "callrecord", q="c1")] == ["c1"]
    assert [call.call_id for call in listed(client, "callrecord", q="(800) 555-0100")] == ["c2", "c1"]
    assert listed(client, "callrecord", q="+18005550199") == []


def test_rejects_are_found_by_their_reason(answered: PhoneNumber, client: Client) -> None:
    imported([row("c1", seconds="x"), row("c2", seconds=-1)])
    assert [reject.line for reject in listed(client, "rejectedcall", code="negative_seconds")] == [3]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_only_read(answered: PhoneNumber, client: Client, make_user: Callable[..., User], name: str) -> None:
    imported([row("c1"), row("c2", seconds=-1)])
    root = Client()
    root.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    model = {"callimport": CallImport, "callrecord": CallRecord, "rejectedcall": RejectedCall}[name]
    before = list(model.objects.values())  # type: ignore[attr-defined]
    key = model.objects.get().pk  # type: ignore[attr-defined]
    for one in (client, root):
        assert one.get(reverse(f"admin:billing_{name}_changelist")).status_code == 200
        assert one.get(reverse(f"admin:billing_{name}_change", args=[key])).status_code == 200
        assert one.post(reverse(f"admin:billing_{name}_change", args=[key]), {"name": "x"}).status_code == 403
        assert one.post(reverse(f"admin:billing_{name}_delete", args=[key]), {"post": "yes"}).status_code == 403
        assert one.post(reverse(f"admin:billing_{name}_add"), {"name": "x"}).status_code == 403
    assert list(model.objects.values()) == before  # type: ignore[attr-defined]
