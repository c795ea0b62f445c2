"""Parsing a customer's CSV file of people: which lines can be added to the list, and why others can't. No queries."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext_lazy, override
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceRole, ServiceUser
from core.csv_files import FORMULA
from core.guards import LazyStr

MOST_PEOPLE = 1_000
MOST_BYTES = 2 * 1024 * 1024
LONGEST_NAME = ServiceUser._meta.get_field("name").max_length or 0
LONGEST_EMAIL = ServiceUser._meta.get_field("email").max_length or 0
LONGEST_SHOWN = 80
SPLIT = _("Split it, and import one part after the other.")
SAVE_ANEW = _("Save it as “CSV UTF-8”, and import that.")
OTHER_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32"))

COLUMNS = {  # the names a column may have, in any of the languages, whichever is active
    "name": ("name", "full name", "nombre", "nombre completo"),
    "email": ("email", "e-mail", "email address", "e-mail address", "correo", "correo electrónico"),
    "role": ("role", "contact center role", "role in contact center", "rol", "rol en contact center"),
}
NEEDED = ("name", "email")
NO_ROLE = ("", "none", "no contact center", "not assigned", "ninguno", "sin contact center", "sin asignar")


@dataclass(frozen=True)
class Person:
    """A line that can be added to the list. The role is a ServiceRole, or "" for a user without Contact Center."""

    line: int
    name: str
    email: str
    role: str

    @property
    def role_in_words(self) -> str:
        return str(ServiceRole(self.role).label) if self.role else gettext("Not assigned")


@dataclass(frozen=True)
class LeftOut:
    """A line that can't be added to the list, with its text (shortened) and the reason."""

    line: int
    what: str
    code: str
    reason: str


@dataclass(frozen=True)
class PeopleFile:
    """A parsed file: people who can be added, lines that are left out, and the names of columns that are ignored."""

    people: Sequence[Person]
    left_out: Sequence[LeftOut]
    ignored: Sequence[str] = ()

    def without(self, emails: Collection[str]) -> "PeopleFile":
        """Return the file with the people of these email addresses moved to `left_out`, as on the list already."""
        known = [
            LeftOut(
                person.line,
                person.name,
                "on_the_list",
                gettext("%(email)s is on your list already.") % {"email": person.email},
            )
            for person in self.people
            if person.email in emails
        ]
        return replace(
            self,
            people=[person for person in self.people if person.email not in emails],
            left_out=sorted([*self.left_out, *known], key=lambda row: row.line),
        )


def read_people(content: bytes) -> PeopleFile:
    """Return the parsed CSV file. Raises ValidationError if the file as a whole can't be read.

    The first line names the columns `name`, `email` and optionally `role`, in any order, separated by commas,
    semicolons or tabs. Line numbers are those an editor shows, even if a cell has a line break.
    """
    if len(content) > MOST_BYTES:
        raise _refusal("too_big", _("The file has more than 2 MB. %(split)s"), {"split": SPLIT})
    text = _decoded(content)
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows = _rows(reader)
    header = next(rows, (0, []))[1]
    places, ignored = _columns(header)
    people: list[Person] = []
    left_out: list[LeftOut] = []
    seen: dict[str, int] = {}
    for count, (line, cells) in enumerate(rows, start=1):
        if count > MOST_PEOPLE:
            raise _refusal(
                "too_many",
                _("The file has more than %(most)s people. %(split)s"),
                {"most": f"{MOST_PEOPLE:,}", "split": SPLIT},
            )
        try:
            person = _person(line, cells, places, len(header))
            if person.email in seen:
                raise _refusal(
                    "twice",
                    _("%(email)s is in line %(line)s as well."),
                    {"email": person.email, "line": seen[person.email]},
                )
        except ValidationError as refusal:
            what = " ".join(" ".join(cells).replace("\0", "\N{REPLACEMENT CHARACTER}").split())[:LONGEST_SHOWN]
            left_out.append(LeftOut(line, what, refusal.code or "", refusal.messages[0]))
        else:
            seen[person.email] = line
            people.append(person)
    if not people and not left_out:
        raise _refusal("no_people", _("The file has no people: nothing follows its first line."))
    return PeopleFile(people, left_out, ignored)


def checked(person: Person) -> Person:
    """Return the person with name and email address normalized. Raises ValidationError if they can't be added."""
    name, email, role = person.name.strip(), person.email.strip().lower(), person.role
    for cell, label in ((name, _("name")), (email, _("e-mail address"))):
        if not cell:
            raise _refusal("missing", _("The %(label)s is missing."), {"label": label})
        if "\0" in cell:
            raise _refusal("nul", _("The %(label)s has a character that is no text."), {"label": label})
        if "\n" in cell or "\r" in cell:
            raise _refusal("line_break", _("The %(label)s has a line break."), {"label": label})
        if not cell.isprintable():
            raise _refusal("unprintable", _("The %(label)s has a character that can't be seen."), {"label": label})
        if cell.startswith(FORMULA):
            raise _refusal(
                "formula",
                _("The %(label)s begins with %(character)s, as a formula does."),
                {"label": label, "character": cell[0]},
            )
    if len(name) > LONGEST_NAME:
        raise _refusal("too_long", _("The name has more than %(most)s characters."), {"most": LONGEST_NAME})
    try:
        validate_email(email)
    except ValidationError as error:
        raise _refusal(
            "bad_email",
            _("“%(email)s” is not an e-mail address."),
            {"email": email[:LONGEST_SHOWN]},
        ) from error
    if len(email) > LONGEST_EMAIL:
        raise _refusal(
            "too_long",
            _("The e-mail address has more than %(most)s characters."),
            {"most": LONGEST_EMAIL},
        )
    if role and role not in ServiceRole.values:
        raise _refusal(
            "unknown_role",
            _("“%(role)s” is not a role. The roles are %(roles)s, or nothing."),
            {"role": role[:LONGEST_SHOWN], "roles": _all_roles()},
        )
    return replace(person, name=name, email=email)


def _person(line: int, cells: Sequence[str], places: dict[str, int], width: int) -> Person:
    if any(cells[width:]):
        raise _refusal("more_cells", _("The line has more cells than the first line names."))
    found = {column: cells[place] if place < len(cells) else "" for column, place in places.items()}
    role = found.get("role", "")
    if "\0" in role:
        raise _refusal("nul", _("The role has a character that is no text."))
    known = " ".join(role.lower().replace("_", " ").split())
    return checked(Person(line, found["name"], found["email"], _roles().get(known, role.strip())))


@cache
def _roles() -> Mapping[str, str]:
    """Return the role for each name that it may have in a file: its value, and its label in each language."""
    roles = dict.fromkeys(NO_ROLE, "") | {role.value.replace("_", " "): role.value for role in ServiceRole}
    for language, _name in settings.LANGUAGES:
        with override(language):
            roles |= {str(role.label).lower(): role.value for role in ServiceRole}
    return roles


def _decoded(content: bytes) -> str:
    for mark, encoding in OTHER_ENCODINGS:
        if content.startswith(mark):
            raise _refusal(
                "encoding",
                _("The file is %(encoding)s. %(save_anew)s"),
                {"encoding": encoding, "save_anew": SAVE_ANEW},
            )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(
            "encoding",
            _("The file is not UTF-8, see line %(line)s. %(save_anew)s"),
            {"line": line, "save_anew": SAVE_ANEW},
        ) from error
    if "\0" in text.partition("\n")[0]:
        raise _refusal("encoding", _("The file is not text. %(save_anew)s"), {"save_anew": SAVE_ANEW})
    if not text.strip():
        raise _refusal("empty", _("The file is empty."))
    return text


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number on which each row begins, and its cells, skipping empty rows."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refusal(
                "bad_csv",
                _("The row that begins in line %(line)s is not CSV: look for a quotation mark that is not closed."),
                {"line": line},
            ) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return the index of each column that we read, and the names of the others.

    Raises ValidationError if a required column is missing, or a column appears more than once.
    """
    names = [" ".join(cell.lower().replace("_", " ").split()) for cell in header]
    places: dict[str, int] = {}
    for column, spellings in COLUMNS.items():
        found = [place for place, name in enumerate(names) if name in spellings]
        if len(found) > 1:
            raise _refusal(
                "column_twice",
                _("The first line names the column “%(column)s” more than once."),
                {"column": column},
            )
        if found:
            places[column] = found[0]
    missing = [column for column in NEEDED if column not in places]
    if missing:
        words = ngettext_lazy(
            "The first line must name the columns “name” and “email”; %(missing)s is missing.",
            "The first line must name the columns “name” and “email”; %(missing)s are missing.",
            len(missing),
        )
        raise _refusal("missing_columns", words, {"missing": _quoted(missing)})
    taken = set(places.values())
    return places, [header[place].strip() for place, name in enumerate(names) if name and place not in taken]


def _refusal(code: str, reason: LazyStr, params: dict[str, Any] | None = None) -> ValidationError:
    """Return a refusal with a lazy message, since it may be shown in one language and stored in another."""
    return ValidationError(reason, code=code, params=params)


def _joined(words: Sequence[str]) -> str:
    return gettext(" and ").join(gettext("“%(word)s”") % {"word": word} for word in words)


def _roles_in_words() -> str:
    return ", ".join(str(label) for label in ServiceRole.labels)


_quoted, _all_roles = lazy(_joined, str), lazy(_roles_in_words, str)
