"""The rules of docs/architecture.md that can be checked in the source code."""

import ast
import re
from collections.abc import Iterator

from django.contrib.admin import site
from django.db.models import Model
from django.test import RequestFactory

from accounts.models import Account, Contact, PhoneNumber, ServiceUser, User
from core.admin import BaseAdmin, WritingAdmin
from subscriptions.models import Item
from tests.policy_references import APPS, texts

REFUSALS = {"ValidationError", "ValidationError | None"}
SHOWS = "show_refusal"  # the only function so named that shows a refusal instead of returning one


def functions() -> Iterator[tuple[str, str, str]]:
    """Yield (location, name, return annotation) for each function of the apps."""
    for file, text in texts().items():
        if not file.endswith(".py") or not file.startswith(tuple(f"{app}/" for app in APPS)) or "/migrations/" in file:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                returns = ast.unparse(node.returns) if node.returns else "nothing said"
                yield f"{file}:{node.lineno}", node.name, returns


def test_a_check_returns_nothing_so_it_can_only_raise() -> None:
    """Django's system checks are exempt; they are recognized by their return annotation."""
    found = {
        (where, name): returns
        for where, name, returns in functions()
        if name.lstrip("_").startswith("check_") and returns != "list[CheckMessage]"
    }
    assert "check_day" in {name for _, name in found}
    assert {key: returns for key, returns in found.items() if returns != "None"} == {}


def test_a_refusal_is_returned_by_a_function_of_that_name_and_by_no_other() -> None:
    of_the_name = {each for each in functions() if each[1].endswith("_refusal") and each[1] != SHOWS}
    assert "seats_refusal" in {name for _, name, _ in of_the_name}
    assert of_the_name == {each for each in functions() if each[2] in REFUSALS}


def test_nothing_is_named_so_that_it_may_either_raise_or_return() -> None:
    assert [where for where, name, _ in functions() if name.lstrip("_").startswith("refuse_")] == []


LONGEST = {"code": 300, "tests": 450}
WRITES = {"save", "delete", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
DOORS = re.compile(r"/(admin|views|management|templatetags)/|/(views|forms|tasks|dashboard|admin)\.py$")
QUERIES = {"objects", "connection", "cursor", "history"}


def code(*, migrations: bool = False) -> dict[str, str]:
    """Return the text of each Python file of the apps, by its path."""
    return {
        file: text
        for file, text in texts().items()
        if file.endswith(".py")
        and file.startswith(tuple(f"{app}/" for app in APPS))
        and (migrations or "/migrations/" not in file)
    }


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lengths = {file: text.count("\n") for file, text in code().items()}
    assert len(lengths) > 200
    assert {file: length for file, length in lengths.items() if length > LONGEST["code"]} == {}
    tests = {file: text.count("\n") for file, text in texts().items() if file.startswith("tests/")}
    assert {file: length for file, length in tests.items() if length > LONGEST["tests"]} == {}


def test_a_file_of_actions_has_one_verb_and_is_named_after_it() -> None:
    files = [file for file in code() if "/actions/" in file and not file.endswith("__init__.py")]
    assert len(files) > 30
    for file in files:
        name = file.rsplit("/", 1)[1].removesuffix(".py")
        public = [
            node.name
            for node in ast.parse(code()[file]).body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        # The same action for many accounts is in the same module.
        assert public in ([name], [name, f"{name}_many"]), file


def test_rules_and_pricing_make_no_query() -> None:
    files = [file for file in code() if file.endswith("/rules.py") or file.startswith("billing/pricing/")]
    assert len(files) >= 5
    for file in files:
        names = {node.attr for node in ast.walk(ast.parse(code()[file])) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(ast.parse(code()[file])) if isinstance(node, ast.Name)}
        assert not names & QUERIES, file


def test_pages_and_commands_call_verbs_and_write_nothing_themselves() -> None:
    """Exceptions: logging out ends sessions, which have no rules, and the admin's base calls a page's `writes`."""
    exceptions = {"accounts/login/pages.py", "core/admin/bases.py"}
    files = [file for file in code() if DOORS.search(file) and file not in exceptions]
    assert len(files) > 50
    for file in files:
        calls = [
            node.func
            for node in ast.walk(ast.parse(code()[file]))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ]
        written = {f"{ast.unparse(call.value)}.{call.attr}" for call in calls if call.attr in WRITES}
        assert not written, file


def test_forms_of_the_admin_write_rows_by_actions() -> None:
    """Exception: permissions of groups, which are Django's own and have no rules."""
    asked = RequestFactory().get("/")
    asked.user = User(is_active=True, is_staff=True, is_superuser=True)
    seen = set()
    for model, page in site._registry.items():
        assert isinstance(page, BaseAdmin) or not is_of_ours(model), model
        if not is_of_ours(model) or not (page.has_add_permission(asked) or page.has_change_permission(asked)):
            continue
        assert isinstance(page, WritingAdmin), model
        writable = [each for each in page.get_inline_instances(asked) if each.has_add_permission(asked, None)]
        for inline in writable:
            if type(page).save_rows is WritingAdmin.save_rows:
                assert inline.model in page.writes, (model, inline.model)
                assert page.writes[inline.model].remove or not inline.has_delete_permission(asked), inline.model
        actions = [action for each in page.writes.values() for action in (each.save, each.remove) if action]
        assert model in page.writes, model
        assert all(".actions." in action.__module__ for action in actions), model
        seen.add(model)
    assert {Account, Contact, Item, PhoneNumber, ServiceUser, User} <= seen


def is_of_ours(model: type[Model]) -> bool:
    return model.__module__.startswith(tuple(f"{app}." for app in APPS))


def test_only_core_money_writes_a_dollar_sign() -> None:
    """Amounts that people read come from `money` or `rate`; regular expressions and SQL use the sign differently."""
    amount = re.compile(r"\$(?:\{[^}]*:,?\.2f\}|%\(|\{\{)")
    found = [file for file, text in code().items() if amount.search(text)]
    found += [file for file, text in texts().items() if file.startswith("templates/") and amount.search(text)]
    assert found == ["core/money.py"]
