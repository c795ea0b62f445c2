"""What a function's name says of how it refuses: `check_…()` raises, `…_refusal()` returns."""

import ast
from collections.abc import Iterator

from tests.policy_references import APPS, texts

REFUSALS = {"ValidationError", "ValidationError | None"}
SHOWS = "show_refusal"  # the one verb that is done to a refusal


def functions() -> Iterator[tuple[str, str, str]]:
    """Yield where each function of the apps is, its name, and what its annotation says that it returns."""
    for file, text in texts().items():
        if not file.endswith(".py") or not file.startswith(tuple(f"{app}/" for app in APPS)) or "/migrations/" in file:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                returns = ast.unparse(node.returns) if node.returns else "nothing said"
                yield f"{file}:{node.lineno}", node.name, returns


def test_a_check_returns_nothing_so_it_can_only_raise() -> None:
    """Django's own system checks are known by what they return."""
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
