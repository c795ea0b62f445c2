"""Files of other systems, imported with a column mapping: by the command, saved, and in the admin with a preview."""

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import PhoneNumber, User
from billing.actions import save_mapping
from billing.calls.preview import preview_calls
from billing.models import CallImport, CallMapping, CallRecord
from tests.billing.call_files import FOLDER, NEW_YORK
from tests.billing.call_rows import NOON, imported, rejects, table
from tests.conftest import codes

FREESWITCH = {"call_id": "11", "to": "3", "from": "2", "started_at": "5", "seconds": "9"}
TELNYX = {"call_id": "id", "to": "cld", "from": "cli", "started_at": "start_timestamp", "seconds": "call_sec"}
ZOOM = {
    "call_id": "Call ID",
    "to": "To Number",
    "from": "From Number",
    "started_at": "Call Start Time",
    "seconds": "Call Duration",
    "answered": "Result:Answered|Call connected",
}
CISCO = {
    "call_id": "pkid",
    "to": "originalCalledPartyNumber",
    "from": "callingPartyNumber",
    "started_at": "dateTimeOrigination",
    "seconds": "duration",
    "leg": "destLegIdentifier",
}
FILES = {
    "c01-freeswitch-example.csv": (FREESWITCH, 3, 0),
    "c03-freeswitch-linksys.csv": (FREESWITCH, 3, 0),
    "e02-telnyx.csv": (TELNYX, 1, 0),
    "e04-zoom-phone.csv": (ZOOM, 1, 0),
    "f01-cucm.csv": (CISCO, 3, 1),  # also the line with the types of its columns
}
UPLOAD = "/admin/billing/callimport/import/"
SMALL = {"call_id": "id", "to": "callee", "started_at": "begin", "seconds": "length"}


@pytest.fixture
def client(biller: User) -> Client:
    client = Client()
    client.force_login(biller)
    return client


def command(path: Path, mapping: dict[str, str], *more: str) -> str:
    out = StringIO()
    maps = [text for role, column in mapping.items() for text in ("--map", f"{role}={column}")]
    call_command("import_calls", str(path), *maps, *more, stdout=out, stderr=StringIO())
    return out.getvalue()


def no_calls_of(received: CallImport) -> int:
    """Return the number of rows that are no call to bill, including the header."""
    return received.not_answered + received.not_a_call


def upload(client: Client, path: Path, **fields: str) -> Any:
    file = SimpleUploadedFile(path.name, path.read_bytes(), content_type="text/csv")
    return client.post(UPLOAD, {"file": file, **fields}, follow=True)


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "other.csv"
    path.write_text("\n".join([*lines, ""]))
    return path


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_systems_are_read_by_a_mapping(called: PhoneNumber, client: Client, name: str) -> None:
    mapping, count, no_calls = FILES[name]
    said = command(FOLDER / name, mapping, "--zone", NEW_YORK)
    assert said.startswith(f"{name}: {count} added, 0 of them unmatched")
    received = CallImport.objects.get()
    assert (received.layout, no_calls_of(received), received.rejected) == (
        "mapping",
        no_calls + (not name.startswith("c")),
        0,
    )
    assert {(str(call.started_at), call.seconds, call.number) for call in CallRecord.objects.all()} == {
        ("2026-11-20 17:00:00+00:00", 61, "+18445550107")
    }
    before = table()
    fields = {f"map_{role}": column for role, column in mapping.items()}
    answer = upload(client, FOLDER / name, zone=NEW_YORK, **fields)
    assert "has nothing new: all of its calls are there already" in answer.content.decode()
    assert table() == before


def test_a_mapping_is_saved_and_used_again(called: PhoneNumber, client: Client, biller: User) -> None:
    path = FOLDER / "e04-zoom-phone.csv"
    command(path, ZOOM, "--zone", NEW_YORK, "--save-map", "Zoom", "--by", biller.email)
    saved = CallMapping.objects.get()
    assert (saved.name, saved.columns, saved.zone, saved.created_by) == ("Zoom", ZOOM, NEW_YORK, biller)
    out = StringIO()
    call_command("import_calls", str(path), "--use-map", "Zoom", stdout=out)
    assert "nothing is new" in out.getvalue()
    upload(client, path, use_map=str(saved.pk))
    assert CallImport.objects.latest("pk").repeated == 1
    for page in ("changelist", "change"):
        arguments = [saved.pk] if page == "change" else []
        content = client.get(reverse(f"admin:billing_callmapping_{page}", args=arguments)).content.decode()
        assert "call_id=Call ID" in content


def test_the_admin_saves_the_columns_with_the_import(called: PhoneNumber, client: Client, biller: User) -> None:
    fields = {f"map_{role}": column for role, column in TELNYX.items()}
    upload(client, FOLDER / "e02-telnyx.csv", save_as="Telnyx", **fields)
    assert CallMapping.objects.get().created_by == biller
    assert CallRecord.objects.count() == 1
    other = fields | {"map_seconds": "billed_sec"}
    answer = upload(client, FOLDER / "e02-telnyx.csv", save_as="Telnyx", **other)
    assert answer.context["form"].errors.as_data()["save_as"][0].code == "name_taken"
    assert CallImport.objects.count() == 1


def test_nothing_is_saved_with_a_file_that_is_refused(called: PhoneNumber) -> None:
    with pytest.raises(CommandError) as error:
        command(FOLDER / "e04-zoom-phone.csv", TELNYX, "--save-map", "Telnyx")
    assert error.value.returncode == 2
    assert "The file has no column id." in str(error.value)
    assert not CallMapping.objects.exists()


def test_a_name_says_one_thing(biller: User, supporter: User) -> None:
    first = save_mapping("Mine", SMALL, by=biller)
    assert save_mapping(" Mine ", SMALL, by=biller) == first
    for name, columns, zone, code in [
        ("Mine", SMALL | {"seconds": "talk"}, "", "name_taken"),
        ("Mine", SMALL, NEW_YORK, "name_taken"),
        ("", SMALL, "", "bad_name"),
        ("x" * 101, SMALL, "", "bad_name"),
        ("Other", {"call_id": "id"}, "", "bad_mapping"),
        ("Other", SMALL, "Mars/Olympus", "unknown_timezone"),
    ]:
        with pytest.raises(ValidationError) as refusal:
            save_mapping(name, columns, by=biller, zone=zone)
        assert code in {found for _, found in codes(refusal.value)}
    with pytest.raises(PermissionDenied):
        save_mapping("Other", SMALL, by=supporter)
    assert CallMapping.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--map", "call_id"], "does not say which column is what"),
        (["--map", "call_id=id"], "to is missing"),
        (["--map", "call_id=id", "--map", "call_id=x"], "two columns for call_id"),
        (["--map", "colour=id"], "can't say which column is colour"),
        (["--map", "call_id=0", "--map", "to=2", "--map", "started_at=3", "--map", "seconds=4"], "counted from 1"),
        ([*(f"--map={role}={column}" for role, column in SMALL.items()), "--map=answered=x"], "which value means"),
        (["--use-map", "None"], "There is no mapping with the name None"),
        (["--save-map", "x"], "needs --map"),
        (["--map", "call_id=id", "--use-map", "x"], "use one of them"),
        (["--map", "call_id=id", "--layout", "own"], "--layout can't be given"),
    ],
)
def test_what_is_no_mapping_is_refused(db: None, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("import_calls", str(FOLDER / "e02-telnyx.csv"), *arguments)
    assert words in str(error.value)
    assert not CallImport.objects.exists()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("above", [[], ["Report of calls", ""]])
def test_names_are_found_below_a_title_whatever_separates_them(
    answered: PhoneNumber, delimiter: str, above: list[str]
) -> None:
    lines = [*above, delimiter.join(SMALL.values()), delimiter.join(["c1", "8005550100", NOON, "00:01:01"]), ""]
    received = imported("\n".join(lines).encode(), mapping=SMALL)
    assert (received.added, no_calls_of(received)) == (1, len(above) + 1)
    assert CallRecord.objects.get().seconds == 61


def test_numbers_of_columns_pass_over_the_names(answered: PhoneNumber) -> None:
    content = f"Id,Callee,Begin,Length\nc1,8005550100,{NOON},61\nc2,8005550100\n".encode()
    received = imported(content, mapping={"call_id": "1", "to": "2", "started_at": "3", "seconds": "4"})
    assert (received.added, no_calls_of(received), rejects(received)) == (1, 1, [(3, "missing_columns")])


def test_a_row_counts_if_the_mapping_says_it_is_answered(answered: PhoneNumber) -> None:
    rows = [f"c{place},8005550100,{NOON},61,{value}" for place, value in enumerate(["Yes", " yes", "No", ""])]
    content = "\n".join(["id,callee,begin,length,ok", *rows]).encode()
    received = imported(content, mapping=SMALL | {"answered": "OK:yes|sure"})
    assert (received.added, no_calls_of(received), rejects(received)) == (2, 2, [(5, "missing_columns")])


@pytest.mark.parametrize("line", ["id,callee,begin,length,id", "id,callee,begin,talk"])
def test_columns_that_are_doubled_or_missing_are_refused(db: None, line: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        imported(f"{line}\nc1,8005550100,{NOON},61,x\n".encode(), mapping=SMALL)
    assert codes(refusal.value) <= {("__all__", "duplicate_columns"), ("__all__", "missing_columns")}


def test_rejects_of_a_mapping_are_corrected_in_our_own_columns(
    answered: PhoneNumber,
    client: Client,
) -> None:
    content = f"length;begin;callee;note;id;part\nx;2026-03-20 12:00:00;8005550100;;c1;7\n61;{NOON};8005550100;;c2;1"
    mapping = SMALL | {"leg": "part"}
    received = imported(content.encode(), mapping=mapping, zone=NEW_YORK)
    answer = client.get(f"/admin/billing/callimport/{received.pk}/rejects/")
    corrected = b"".join(answer.streaming_content).replace(b",x,", b",9,")  # type: ignore[arg-type]
    assert corrected.splitlines()[0] == b"call_id,to,from,started_at,seconds,leg,line,reason"
    assert imported(corrected, zone=NEW_YORK).added == 1
    assert str(CallRecord.objects.get(call_id="c1").started_at) == "2026-03-20 16:00:00+00:00"


def test_the_preview_shows_ten_rows_and_writes_nothing(called: PhoneNumber, client: Client, tmp_path: Path) -> None:
    rows = [f"c{number},+18445550107,2026-11-20 12:00:00,61,Yes" for number in range(30)]
    rows[1:6] = [
        "",
        "c1,+18445550107,x,61,Yes",
        "c2,nobody,x,61,No",
        "c3,+18005550199,2026-11-20 12:00:00,1,Yes",
        "Total",
    ]
    path = written(tmp_path, "id,callee,begin,length,ok", *rows)
    fields = {f"map_{role}": column for role, column in (SMALL | {"answered": "ok:yes"}).items()}
    page = upload(client, path, preview="1", zone=NEW_YORK, **fields)
    found = page.context["preview"]["table"]["rows"]
    assert [row[0] for row in found] == list(range(2, 12))
    assert [row[1] for row in found[:6]] == [
        "A call",
        "No call",
        "Rejected: “x” is no time in ISO 8601, like 2026-03-05T10:00:00-05:00.",
        "Not answered",
        "Rejected: No account has this number.",
        "No call",
    ]
    assert found[0][2:8] == ["c0", "", "+18445550107", "", "2026-11-20T17:00:00Z", "61"]
    content = page.content.decode()
    assert "Nothing was imported." in content
    assert "Import calls\n" not in content
    assert not CallImport.objects.exists()
    form = client.get(UPLOAD).content.decode()
    assert 'formtarget="_blank"' in form
    assert 'name="preview"' in form


@pytest.mark.parametrize("name", ["c01-freeswitch-example.csv", "h18-pdf.csv"])
def test_the_preview_refuses_what_the_import_refuses(called: PhoneNumber, client: Client, name: str) -> None:
    page = upload(client, FOLDER / name, preview="1")
    assert page.context["preview"] is None
    assert page.context["form"].errors["file"]


def test_only_who_may_import_looks_and_saves(called: PhoneNumber, supporter: User, biller: User) -> None:
    saved = save_mapping("Mine", SMALL, by=biller)
    other = Client()
    other.force_login(supporter)
    assert upload(other, FOLDER / "g02-tabs.csv", preview="1").status_code == 403
    delete = reverse("admin:billing_callmapping_delete", args=[saved.pk])
    assert other.post(delete, {"post": "yes"}).status_code == 403
    with pytest.raises(PermissionDenied):
        preview_calls(BytesIO(b""), layout=None, by=supporter, zone=None, mapping=None)
    assert CallMapping.objects.exists()
    other.force_login(biller)
    assert other.get(reverse("admin:billing_callmapping_change", args=[saved.pk])).status_code == 200
    other.post(delete, {"post": "yes"})
    assert not CallMapping.objects.exists()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"map_call_id": "id"}, "map_call_id"),
        ({"save_as": "x"}, "save_as"),
        ({"layout": "mapping"}, "layout"),
        ({"use_map": "999"}, "use_map"),
        ({"layout": "own", **{f"map_{role}": column for role, column in SMALL.items()}}, "layout"),
    ],
)
def test_the_form_says_what_contradicts(
    called: PhoneNumber, client: Client, fields: dict[str, str], where: str
) -> None:
    answer = upload(client, FOLDER / "g02-tabs.csv", **fields)
    assert where in answer.context["form"].errors
    assert not CallImport.objects.exists()
