"""Typed values are restored into the right form and fields of a page, and never as markup."""

import pytest

from accounts.login.form_filler import fill, put_in_main

AT = "/users/"
NOTE = "<p>Kept</p>"


def filled(page: str, typed: dict[str, list[str]], *, posted_to: str = AT) -> str | None:
    return fill(page, at=AT, posted_to=posted_to, typed=typed, note=NOTE)


def form(inside: str, attributes: str = "") -> str:
    return f'<form method="post"{attributes}>{inside}</form>'


@pytest.mark.parametrize(
    ("field", "typed", "expected"),
    [
        ('<input name="a" value="old">', ["new"], '<input name="a" value="new">'),
        ('<input name="a" type="number">', ["3"], '<input name="a" type="number" value="3">'),
        ("<INPUT NAME=a required>", ["3"], '<input name="a" required value="3">'),
        ('<textarea name="a" rows="2">old</textarea>', ["x\ny"], '<textarea name="a" rows="2">\nx\ny</textarea>'),
        ('<textarea name="a"></textarea>', ["\nx"], '<textarea name="a">\n\nx</textarea>'),
        ('<input type="checkbox" name="a" checked>', [], '<input type="checkbox" name="a">'),
        ('<input type="checkbox" name="a">', ["on"], '<input type="checkbox" name="a" checked>'),
        (
            '<input type="radio" name="a" value="1" checked><input type="radio" name="a" value="2">',
            ["2"],
            '<input type="radio" name="a" value="1"><input type="radio" name="a" value="2" checked>',
        ),
        (
            '<select name="a"><option value="1" selected>One</option><option value="2">Two</option></select>',
            ["2"],
            '<select name="a"><option value="1">One</option><option value="2" selected>Two</option></select>',
        ),
        ('<input name="a"><input name="a">', ["1", "2"], '<input name="a" value="1"><input name="a" value="2">'),
    ],
)
def test_each_kind_of_field(field: str, typed: list[str], expected: str) -> None:
    both = '<input name="b">'
    page = filled(form(field + both), {**({"a": typed} if typed else {}), "b": ["x"]})
    assert page == form(NOTE + expected + '<input name="b" value="x">')


@pytest.mark.parametrize(
    "field",
    [
        '<input type="hidden" name="a" value="fresh">',
        '<input type="password" name="a">',
        '<input type="file" name="a">',
        '<input type="submit" name="a" value="Save">',
        '<button name="a" value="Save">Save</button>',
        '<input name="a" disabled value="fresh">',
        '<input name="a" readonly value="fresh">',
        '<select name="a" disabled><option value="1" selected>One</option><option value="old">Two</option></select>',
    ],
)
def test_what_the_page_says_itself_stays(field: str) -> None:
    page = filled(form(field + '<input name="b">'), {"a": ["old"], "b": ["x"]})
    assert page == form(f'{NOTE}{field}<input name="b" value="x">')


@pytest.mark.parametrize(
    "value", ['"><script>alert(1)</script>', "</textarea><script>", "&lt;b&gt;", "'", "\x00", "ü€😀"]
)
def test_a_value_is_never_markup(value: str) -> None:
    page = filled(form('<input name="a"><textarea name="a"></textarea>'), {"a": [value, value]})
    assert page is not None
    assert "<script" not in page
    assert page.count("<input") == page.count("</textarea>") == 1


def test_of_several_forms_the_one_that_posts_there_and_fits_best() -> None:
    search = '<form action="/users/"><input name="q"></form>'
    other = form('<input name="name">', ' action="/elsewhere/"')
    role = form('<input name="role">', ' action="/users/add/"')
    add = form('<input name="name"><input name="role">', ' action="add/?x=1"')
    page = filled(search + other + role + add, {"name": ["Ann"], "role": ["agent"]}, posted_to="/users/add/")
    assert page == search + other + role + add.replace(">", f">{NOTE}", 1).replace(
        'name="name"', 'name="name" value="Ann"'
    ).replace('name="role"', 'name="role" value="agent"')


def test_fields_elsewhere_and_buttons_that_post_elsewhere_belong_to_their_form() -> None:
    page = form('<button formaction="/preview/">Look</button>', ' id="f"') + '<input name="a" form="f">'
    assert 'value="x"' in (filled(page, {"a": ["x"]}, posted_to="/preview/") or "")


@pytest.mark.parametrize(
    "page", ["", "<p>Gone</p>", form(""), form('<input name="b">'), form('<input type="hidden" name="a">'), "<form <<"]
)
def test_none_where_no_form_takes_it(page: str) -> None:
    assert filled(page, {"a": ["x"]}) is None


def test_all_else_stays_as_it_is_to_the_letter() -> None:
    before = "<!doctype html>\r\n<!-- <form method=post> --><MAIN Class=x>&nbsp;é\n\n<script>if (1 < 2) {}</script>"
    page = filled(before + form('<input name="a">'), {"a": ["x"]})
    assert page == before + form(f'{NOTE}<input name="a" value="x">')
    assert put_in_main(before, NOTE) == before.replace("Class=x>", f"Class=x>{NOTE}")
    assert put_in_main("<p>", NOTE) == "<p>"
