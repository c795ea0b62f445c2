"""`load_catalogue`: the items of a file are added once, or refused with readable errors and nothing added."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import subscriptions
from subscriptions.kinds import KINDS
from subscriptions.models import Item, Price
from tests.conftest import CASES
from tests.guarding import nothing_written

OURS = Path(subscriptions.__file__).parent / "catalogue.json"
COUNT = sum(len(rows) for rows in json.loads(OURS.read_text()).values() if isinstance(rows, list))

pytestmark = pytest.mark.django_db


def test_the_products_own_catalogue_is_added_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_catalogue", OURS)
    call_command("load_catalogue", OURS)
    assert capsys.readouterr().out == f"Added {COUNT} items and {COUNT} prices.\nAdded 0 items and 0 prices.\n"
    assert (Item.objects.count(), Price.objects.count()) == (COUNT, COUNT)


def test_the_products_own_catalogue_is_that_of_the_worked_bills() -> None:
    """Kinds that came later are in sections of their own, which the worked bills don't have."""
    ours, theirs = (json.loads(path.read_text()) for path in (OURS, CASES / "catalogue.json"))
    for section in ours.values():  # the worked bills have no Spanish names
        for item in section if isinstance(section, list) else ():
            item.pop("name_es", None)
    assert {**{name: ours[name] for name in theirs}, "effective_from": ""} == {**theirs, "effective_from": ""}
    assert ours.keys() - theirs.keys() <= {kind.section for kind in KINDS if kind.may_be_left_out}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not of the expected form"),
        ('"text"', "is not of the expected form"),
        ("{}", "effective_from"),
        ('{"effective_from": "soon"}', "soon"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text(content)
    with pytest.raises(CommandError, match=words):
        call_command("load_catalogue", file)
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("section", "wrong", "words"),
    [
        ("products", "text", "is not of the expected form"),
        ("products", {"charged_per": "minute"}, "minute"),
        ("products", {"sku": "CC Pro"}, "An SKU is made of"),
        ("addons", {"monthly_price": "ten"}, "is not of the expected form"),
        ("addons", {"monthly_price": "-1"}, "addon-crm: "),
        ("addons", {"per_minute": "0.05"}, "addon-crm: .* have none"),
        ("toll_free_packages", {"per_minute": "cheap"}, "is not of the expected form"),
        ("toll_free_packages", {"per_minute": None}, "tf-225000: .* have a price per minute"),
        ("toll_free_packages", {"minutes": 500}, "tf-225000: .* of this size"),
    ],
)
def test_one_wrong_item_and_nothing_is_added(tmp_path: Path, section: str, wrong: Any, words: str) -> None:
    content = json.loads(OURS.read_text())
    last = content[section][-1]
    content[section][-1] = {**last, **wrong} if isinstance(wrong, dict) else wrong
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(content))
    with pytest.raises(CommandError, match=words):
        call_command("load_catalogue", file)
    assert not Item.objects.exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        call_command("load_catalogue", tmp_path / "nothing.json")


def test_an_item_never_becomes_another(tmp_path: Path) -> None:
    call_command("load_catalogue", OURS)
    content = json.loads(OURS.read_text())
    content["recording_storage"][1]["gigabytes"] = 50
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(content))
    with pytest.raises(CommandError, match="storage-25: the size: “25” in the catalogue, “50” in the file") as error:
        call_command("load_catalogue", file)
    assert str(error.value).endswith("Nothing was added.")


def test_a_dry_run_lists_every_item_and_price_and_adds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_catalogue", OURS, dry_run=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Item cc-pro: Contact Center Pro, Product"
    assert "Price of cc-pro, Contact Center Pro: $70.00 a month from 2025-01-01" in lines
    assert "Price of tf-500, 500 minutes: $18.00 a month and $0.042 a minute from 2025-01-01" in lines
    assert lines[-1] == f"Would add {COUNT} items and {COUNT} prices. Nothing was added."
    assert len(lines) == COUNT + COUNT + 1
    assert not Item.objects.exists()


def test_a_file_that_contradicts_is_an_error_of_a_dry_run_too(tmp_path: Path) -> None:
    call_command("load_catalogue", OURS)
    content = json.loads(OURS.read_text())
    content["products"][0]["monthly_price"] = "75.00"
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(content))
    for dry_run in (True, False):
        with nothing_written(), pytest.raises(CommandError, match=r"cc-pro costs \$70\.00 a month .* \$75\.00 a month"):
            call_command("load_catalogue", file, dry_run=dry_run)


def test_prices_for_a_day_that_has_begun_are_told_one_by_one(tmp_path: Path) -> None:
    call_command("load_catalogue", OURS)
    content = json.loads(OURS.read_text())
    content["effective_from"] = "2026-10-01"
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(content))
    with nothing_written(), pytest.raises(CommandError) as error:
        call_command("load_catalogue", file)
    assert len(str(error.value).splitlines()) == COUNT + 2
