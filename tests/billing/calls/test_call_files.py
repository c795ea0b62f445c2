"""Each file in tests/call-files, by the command and in the admin: what is read, and what is said about the rest."""

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import PhoneNumber, User
from billing.models import CallImport, CallRecord
from tests.billing.call_files import EXPECTED, FOLDER, NEW_YORK, NOON, STARTS, Read, Refused
from tests.billing.call_rows import rejects

UPLOAD = "/admin/billing/callimport/import/"


@pytest.fixture
def client(biller: User) -> Client:
    client = Client()
    client.force_login(biller)
    return client


def command(name: str) -> tuple[int, str]:
    """Import a file with the command, and return its exit status and all its output."""
    out = StringIO()
    try:
        call_command("import_calls", str(FOLDER / name), "--zone", NEW_YORK, stdout=out, stderr=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def check(name: str) -> None:
    """Assert that the database has what was expected."""
    expected = EXPECTED[name]
    if isinstance(expected, Refused):
        assert not CallImport.objects.exists()
        return
    received = CallImport.objects.get()
    assert dict(CallRecord.objects.values_list("call_id", "seconds")) == expected.calls
    assert dict(rejects(received)) == expected.rejects
    assert received.added == len(expected.calls)
    names_of_columns = 0 if name.startswith("a") and "custom-float" not in name else 1  # most of Asterisk's lack them
    assert received.zero + received.not_answered + received.not_a_call == expected.not_calls + names_of_columns
    assert received.repeated == 0
    assert all(reject.reason.endswith(".") for reject in received.rejects.all())
    for call in CallRecord.objects.all():
        assert call.started_at == datetime.fromisoformat(STARTS.get(call.call_id, NOON))
        assert call.account is not None


def test_every_file_is_in_the_table() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*EXPECTED, "README.md"}


@pytest.mark.parametrize("name", EXPECTED)
def test_by_command(called: PhoneNumber, name: str) -> None:
    expected = EXPECTED[name]
    status, said = command(name)
    assert status == expected.status, said
    check(name)
    if isinstance(expected, Refused):
        assert all(words in said for words in expected.words), said
    elif not expected.calls:
        assert "Nothing was added" in said


@pytest.mark.parametrize("name", EXPECTED)
def test_in_the_admin(called: PhoneNumber, client: Client, name: str) -> None:
    expected = EXPECTED[name]
    file = SimpleUploadedFile(name, (FOLDER / name).read_bytes(), content_type="text/csv")
    answer: Any = client.post(UPLOAD, {"file": file, "layout": "", "zone": NEW_YORK}, follow=True)
    assert answer.status_code == 200
    check(name)
    if isinstance(expected, Refused):
        (errors,) = answer.context["form"].errors.as_data().values()
        said = " ".join(errors[0].messages)
        if name != "h10-empty.csv":  # Django itself refuses it
            assert errors[0].code == expected.code
        assert all(words in said for words in expected.words), said
        return
    levels = {message.level_tag for message in answer.context["messages"]}
    assert ("success" in levels) == bool(expected.calls)
    assert ("error" in levels) != bool(expected.calls)
    assert ("warning" in levels) == bool(expected.rejects)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if isinstance(expected, Read)])
def test_once_more_nothing_is_new(called: PhoneNumber, name: str) -> None:
    first, _ = command(name)
    before = list(CallRecord.objects.order_by("pk").values())
    status, said = command(name)
    assert list(CallRecord.objects.order_by("pk").values()) == before
    assert status == first
    assert CallImport.objects.latest("pk").added == 0
    if not EXPECTED[name].status:
        assert "nothing is new, all of its calls are there already" in said


@pytest.mark.parametrize("name", ["a07-asterisk-cdr-custom-19.csv", "g12-times.csv", "g28-spreadsheet-ids.csv"])
def test_a_known_file_is_not_green(called: PhoneNumber, client: Client, name: str) -> None:
    content = (FOLDER / name).read_bytes()
    for turn in range(2):
        file = SimpleUploadedFile(name, content)
        answer: Any = client.post(UPLOAD, {"file": file, "zone": NEW_YORK}, follow=True)
        levels = [message.level_tag for message in answer.context["messages"]]
        assert ("success" in levels) == (turn == 0 and name != "g28-spreadsheet-ids.csv")


def test_the_bad_byte_of_a_caller_is_replaced(called: PhoneNumber) -> None:
    command("g24-latin1-caller.csv")
    assert CallRecord.objects.get(call_id="g24a").caller == "M\N{REPLACEMENT CHARACTER}ller"
