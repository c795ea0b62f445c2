"""Fill a form in the HTML of any page with the values that somebody typed into it before.

Text, choices and checkboxes are restored. Hidden fields stay as they are, since they carry the current state of the
page. Passwords and files can't be restored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

NEVER = {"hidden", "password", "file", "submit", "button", "image", "reset"}
TICKED = {"checkbox", "radio"}
Attributes = dict[str, str | None]


@dataclass
class _Tag:
    """A start tag and its position in the page; for a textarea, also the position where its text ends."""

    name: str
    attributes: Attributes
    start: int
    end: int
    text_end: int = 0
    select: "_Tag | None" = None

    def __str__(self) -> str:
        written = (
            f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in self.attributes.items()
        )
        return f"<{self.name}{''.join(written)}>"

    @property
    def field(self) -> str:
        return self.attributes.get("name") or ""

    @property
    def type(self) -> str:
        return (self.attributes.get("type") or "text").lower() if self.name == "input" else self.name


@dataclass
class _Form:
    tag: _Tag
    fields: list[_Tag] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {tag.field for tag in self.fields if tag.type not in NEVER}


class _Reader(HTMLParser):
    """Finds the forms of a page, with the fields inside them and those that refer to them by a `form` attribute."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines = [0]
        for line in page.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.forms: list[_Form] = []
        self.main: _Tag | None = None
        self.open: _Form | None = None
        self.select: _Tag | None = None
        self.textarea: _Tag | None = None
        self.outside: list[_Tag] = []
        self.feed(page)
        self.close()
        for tag in self.outside:
            for form in self.forms:
                if form.tag.attributes.get("id") == tag.attributes["form"]:
                    self._join(form, tag)

    def _place(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_starttag(self, name: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        start = self._place()
        tag = _Tag(name, dict(attributes), start, start + len(self.get_starttag_text() or ""), select=self.select)
        if name == "form":
            self.open = _Form(tag, addresses=[tag.attributes.get("action") or ""])
            self.forms.append(self.open)
        elif name == "main":
            self.main = self.main or tag
        elif name in ("input", "select", "textarea", "option", "button"):
            owner = (self.select or tag).attributes
            if name == "select":
                self.select = tag
            if name == "textarea":
                self.textarea = tag
            if owner.get("form"):
                tag.attributes.setdefault("form", owner["form"])
                self.outside.append(tag)
            elif self.open:
                self._join(self.open, tag)

    def _join(self, form: _Form, tag: _Tag) -> None:
        form.fields.append(tag)
        if tag.attributes.get("formaction"):
            form.addresses.append(tag.attributes["formaction"] or "")

    def handle_endtag(self, name: str) -> None:
        if name == "form":
            self.open = None
        elif name == "select":
            self.select = None
        elif name == "textarea" and self.textarea:
            self.textarea.text_end = self._place()
            self.textarea = None


def fill(page: str, *, at: str, posted_to: str, typed: Mapping[str, Sequence[str]], note: str) -> str | None:
    """Return the page with the typed values in the form that posts to `posted_to`, and the note at the form's top.

    `at` (the path of the page) and `posted_to` are paths. Of several such forms, the one with the most of the typed
    fields is filled. None if the page has no form with any of them.
    """
    found = [
        (len(form.names & typed.keys()), form)
        for form in _Reader(page).forms
        if (form.tag.attributes.get("method") or "").lower() == "post"
        and any(urlsplit(urljoin(at, address)).path == posted_to for address in form.addresses)
    ]
    count, form = max(found, key=lambda pair: pair[0], default=(0, None))
    if not count or form is None:
        return None
    changes = [(form.tag.end, form.tag.end, note)]
    left = {name: list(values) for name, values in typed.items()}
    for tag in form.fields:
        changes += _refilled(tag, typed, left)
    return _changed(page, changes)


def put_in_main(page: str, note: str) -> str:
    """Return the page with the note at the top of its `main` element, or unchanged if it has none."""
    main = _Reader(page).main
    return page if main is None else _changed(page, [(main.end, main.end, note)])


def _refilled(tag: _Tag, typed: Mapping[str, Sequence[str]], left: dict[str, list[str]]) -> list[tuple[int, int, str]]:
    """Return the replacements that fill a field, as (start, end, text); `left` has the values not restored yet."""
    name = (tag.select or tag).field
    if not name or tag.type in NEVER or {"disabled", "readonly"} & {*tag.attributes, *(tag.select or tag).attributes}:
        return []
    if tag.type in TICKED or tag.name == "option":
        mark = "selected" if tag.name == "option" else "checked"
        if tag.name == "option" and (name not in typed or "value" not in tag.attributes):
            return []
        tag.attributes.pop(mark, None)
        if (tag.attributes.get("value") or ("on" if mark == "checked" else "")) in typed.get(name, ()):
            tag.attributes[mark] = None
        return [(tag.start, tag.end, str(tag))]
    if not left.get(name):
        return []
    if tag.name == "textarea":
        return [(tag.end, tag.text_end, "\n" + escape(left[name].pop(0)))]
    if tag.name == "input":
        tag.attributes["value"] = left[name].pop(0)
        return [(tag.start, tag.end, str(tag))]
    return []


def _changed(page: str, changes: list[tuple[int, int, str]]) -> str:
    for start, end, text in sorted(changes, reverse=True):
        page = page[:start] + text + page[end:]
    return page
