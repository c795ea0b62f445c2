"""Parsing a file of people: who can be added to the list, and the line number and reason of those who can't."""

import codecs

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import ServiceRole
from subscriptions.people_file import MOST_BYTES, MOST_PEOPLE, LeftOut, PeopleFile, Person, read_people

HEAD = "name,email,role\n"


def read(text: str) -> PeopleFile:
    return read_people(text.encode())


def left_out(text: str) -> list[tuple[int, str]]:
    return [(row.line, row.code) for row in read(text).left_out]


def test_each_line_is_a_person_with_a_role_or_none() -> None:
    file = read(
        HEAD + "Ann Agent,Ann@Example.com,Agent\n Ben ,b@example.com,\nZoë,zoe@example.com,call_center_MANAGER\n"
    )
    assert list(file.people) == [
        Person(2, "Ann Agent", "ann@example.com", "agent"),
        Person(3, "Ben", "b@example.com", ""),
        Person(4, "Zoë", "zoe@example.com", "call_center_manager"),
    ]
    assert (file.left_out, file.ignored) == ([], [])
    assert [person.role_in_words for person in file.people] == ["Agent", "Not assigned", "Call Center Manager"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (codecs.BOM_UTF8 + b"name,email\nAnn,a@example.com", ["Ann"]),
        (b"name;email\r\nAnn;a@example.com\r\n", ["Ann"]),
        (b"Name\tE-Mail Address\nAnn\ta@example.com", ["Ann"]),
        (b"name,email\rAnn,a@example.com\r", ["Ann"]),
        (b"\n\n  \nFULL NAME,email_address\n\nAnn,a@example.com\n,\n\n", ["Ann"]),
        (b'email,name\na@example.com,"Baker, ""Ben"""\n', ['Baker, "Ben"']),
        (b"email,role,name\na@example.com,,Ann\nb@example.com,none,Ben\n", ["Ann", "Ben"]),
        (b"name,email,role\nAnn,a@example.com\n", ["Ann"]),
        (b"name,email\nAnn,a@example.com,,,\n", ["Ann"]),
    ],
    ids=range(9),
)
def test_files_of_many_programs_are_read(content: bytes, names: list[str]) -> None:
    file = read_people(content)
    assert [person.name for person in file.people] == names
    assert file.left_out == []


def test_columns_of_other_names_are_named_and_not_read() -> None:
    file = read("phone,name,,email,Notes\n1,Ann,x,a@example.com,=1+1\n")
    assert [person.name for person in file.people] == ["Ann"]
    assert file.ignored == ["phone", "Notes"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",a@example.com,", "missing"),
        ("Ann,,", "missing"),
        (" \u00a0 ,a@example.com,", "missing"),
        ("Ann,a@example,", "bad_email"),
        ("Ann,no address,", "bad_email"),
        ("Ann,a@example.com,King", "unknown_role"),
        ("Ann,a@example.com,=agent", "unknown_role"),
        ("=1+1,a@example.com,", "formula"),
        ("+1,a@example.com,", "formula"),
        ("-1,a@example.com,", "formula"),
        ("@SUM(1),a@example.com,", "formula"),
        ("Ann,+a@example.com,", "formula"),
        ("Ann,=a@example.com,", "formula"),
        ("A\0nn,a@example.com,", "nul"),
        ("Ann,a@exam\0ple.com,", "nul"),
        ("Ann,a@example.com,ag\0ent", "nul"),
        ("A\u202enn,a@example.com,", "unprintable"),
        ("A\tnn,a@example.com,", "unprintable"),
        ('"Ann\nAgent",a@example.com,', "line_break"),
        ('"Ann\r\nAgent",a@example.com,', "line_break"),
        ("x" * 201 + ",a@example.com,", "too_long"),
        ("Ann," + "x" * 300 + "@example.com,", "too_long"),
        ("Ann,a@example.com,,more", "more_cells"),
    ],
    ids=range(23),
)
def test_a_bad_line_is_left_out_by_number_and_reason_and_the_others_go_on(row: str, code: str) -> None:
    file = read(f"{HEAD}Ben,ben@example.com,\n{row}\nZoe,zoe@example.com,\n")
    assert [(row.line, row.code) for row in file.left_out] == [(3, code)]
    assert [person.name for person in file.people] == ["Ben", "Zoe"]
    assert file.left_out[0].reason.endswith(".")
    assert "\0" not in file.left_out[0].what


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = HEAD + '"Two\nlines",two@example.com,\n\n"Three\r\nmore\nlines",three@example.com,\nAnn,bad,\n'
    assert left_out(text) == [(2, "line_break"), (5, "line_break"), (8, "bad_email")]


def test_a_quoted_line_break_around_a_name_is_no_part_of_it() -> None:
    assert [person.name for person in read(f'{HEAD}"Ann\n",ann@example.com,\n').people] == ["Ann"]


def test_an_address_counts_once_in_any_case() -> None:
    file = read(HEAD + "Ann,ann@example.com,\nAnn,ANN@EXAMPLE.com,\nAnn,Ann@Example.Com,Agent\n")
    assert [person.line for person in file.people] == [2]
    assert [(row.line, row.code, row.reason) for row in file.left_out] == [
        (3, "twice", "ann@example.com is in line 2 as well."),
        (4, "twice", "ann@example.com is in line 2 as well."),
    ]


def test_a_bad_line_does_not_take_an_address() -> None:
    file = read(HEAD + "Ann,ann@example.com,King\nAnn,ann@example.com,Agent\n")
    assert [person.line for person in file.people] == [3]


def test_those_on_the_list_are_left_out_in_the_order_of_the_lines() -> None:
    file = read(HEAD + "Ann,ann@example.com,\nBen,bad,\nZoe,zoe@example.com,\n").without({"ann@example.com", "x@y.z"})
    assert [person.name for person in file.people] == ["Zoe"]
    assert [(row.line, row.code) for row in file.left_out] == [(2, "on_the_list"), (3, "bad_email")]
    assert file.left_out[0] == LeftOut(2, "Ann", "on_the_list", "ann@example.com is on your list already.")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"name,email\n", "no_people"),
        (b"name,email\n,\n\n", "no_people"),
        (b"name\nAnn\n", "missing_columns"),
        (b"Ann,a@example.com\n", "missing_columns"),
        (b"name,name,email\nAnn,Ann,a@example.com\n", "column_twice"),
        (b"email,e-mail,name\na,b,c\n", "column_twice"),
        ("name,email\nZoë,z@example.com\n".encode("utf-16"), "encoding"),
        ("name,email\nZoë,z@example.com\n".encode("utf-16-le"), "encoding"),
        ("name,email\nZoë,z@example.com\n".encode("utf-16-be"), "encoding"),
        ("\ufeffname,email\nAnn,z@example.com\n".encode("utf-32"), "encoding"),
        ("name,email\nAnn,a@example.com\nZoë,z@example.com\n".encode("latin-1"), "encoding"),
        (b'name,email\n"Ann,a@example.com\nBen,b@example.com\n', "bad_csv"),
        (b'name,email\n"Ann"x,a@example.com\n', "bad_csv"),
        (b"name,email\n" + b"x" * 200_000 + b",a@example.com\n", "bad_csv"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "encoding"),
        (b"PK\x03\x04\x14\0\0", "encoding"),
    ],
    ids=range(18),
)
def test_a_file_that_can_not_be_read_is_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_people(content)
    assert refusal.value.code == code
    assert refusal.value.messages[0].endswith(".")


def test_a_refusal_says_where_to_look() -> None:
    with pytest.raises(ValidationError, match="“email” is missing"):
        read("name,phone\nAnn,1\n")
    with pytest.raises(ValidationError, match="“name” and “email” are missing"):
        read("a,b\nAnn,1\n")
    with pytest.raises(ValidationError, match="see line 3"):
        read_people("name,email\nAnn,a@example.com\nZoë,z@example.com\n".encode("latin-1"))
    with pytest.raises(ValidationError, match="begins in line 3"):
        read('name,email\nAnn,a@example.com\n"Ben,b@example.com\nZoe,z@example.com\n')


def test_a_thousand_people_and_no_more() -> None:
    rows = [f"P {i},p{i}@example.com,\n" for i in range(MOST_PEOPLE + 1)]
    assert len(read(HEAD + "".join(rows[:-1])).people) == MOST_PEOPLE
    with pytest.raises(ValidationError) as refusal:
        read(HEAD + "".join(rows))
    assert refusal.value.code == "too_many"


def test_two_megabytes_and_no_more() -> None:
    start = (HEAD + "Ann,ann@example.com,\n").encode()
    assert len(read_people(start + b"\n" * (MOST_BYTES - len(start))).people) == 1
    with pytest.raises(ValidationError) as refusal:
        read_people(start + b"\n" * (MOST_BYTES + 1 - len(start)))
    assert refusal.value.code == "too_big"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + text).encode(errors="replace")))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    try:
        file = read_people(content)
    except ValidationError as refusal:
        assert refusal.code  # noqa: PT017 - random content may be refused or not
        return
    emails = [person.email for person in file.people]
    assert len(set(emails)) == len(emails)
    assert all(row.reason and row.code for row in file.left_out)
    assert not any("\0" in person.name + person.email for person in file.people)


def test_columns_and_roles_may_be_named_in_the_languages_of_the_pages() -> None:
    file = read("Nombre;Correo electrónico;Rol\nAna;a@example.com;Agente\nBeto;b@example.com;sin asignar\n")
    assert [(person.name, person.role) for person in file.people] == [("Ana", "agent"), ("Beto", "")]
    with translation.override("es"):
        names = ", ".join(str(label) for label in ServiceRole.labels)
        for label in ServiceRole.labels:
            assert read(HEAD + f"Ana,a@example.com,{label}\n").people[0].role in ServiceRole.values
        reason = read(HEAD + "Ana,a@example.com,Cook\n").left_out[0].reason
    assert reason == f"«Cook» no es un rol. Los roles son {names}, o nada."
