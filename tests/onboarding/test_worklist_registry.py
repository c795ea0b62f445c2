"""Columns and panels that any app registers appear on the worklist and the account's page, in order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from accounts.admin import ACCOUNT_PAGE
from accounts.models import Account, User
from core.admin import Panel
from onboarding.admin.worklist import WORKLIST, Column, Export, Loader
from onboarding.admin.worklist.registry import Worklist
from onboarding.models import Onboarding
from tests.onboarding.worklist import LIST, Make, page, text_of

COLUMNS = [
    ("number", "Account", "onboarding"),
    ("company", "Company", "onboarding"),
    ("edition", "Edition", "subscriptions"),
    ("age", "Age", "onboarding"),
    ("deadline", "Deadline", "onboarding"),
    ("wanted_on", "Go-live asked for", "onboarding"),
    ("looked_after_by", "Owner", "onboarding"),
    ("readiness", "Readiness", "subscriptions"),
    ("minutes", "Toll-free minutes", "billing"),
    ("value", "Monthly, once live", "billing"),
]
FILTERS = ["due", "asked", "owner", "ready", "edition", "profile", "age", "mode", "activated"]
SHORTCUTS = ["Overdue", "Due within 7 days", "Asks to go live", "Mine", "Nobody’s", "Ready"]
PANELS = {
    "top": ["status"],
    "cards": ["readiness", "request"],
    "readiness": ["usage"],
    "below": ["first_bill", "timeline"],
}
CSV = (
    "account,company,age_in_days,deadline,go_live_asked_for,scheduled_for,goes_live_on,activated_on,owner,"
    "edition,ready,missing,toll_free_minutes,monthly_once_live_usd"
)


def test_each_column_is_registered_by_the_app_that_knows_it() -> None:
    found = [(column.name, column.title, column.show.__module__.split(".")[0]) for column in WORKLIST.columns]
    assert found == COLUMNS


def test_the_list_has_the_columns_filters_and_shortcuts_in_this_order(installed: Account, team: Client) -> None:
    answer = team.get(LIST)
    changes = answer.context["cl"]
    assert [each if each == "action_checkbox" else each.name for each in changes.list_display] == [
        "action_checkbox",
        *(name for name, _, _ in COLUMNS),
    ]
    assert [spec.parameter_name for spec in changes.filter_specs] == FILTERS
    assert list(WORKLIST.shortcuts.values()) == SHORTCUTS
    text = text_of(answer)
    headings = [text.index(f'data-label="{title}"') for _, title, _ in COLUMNS]
    assert headings == sorted(headings)


def test_the_csv_has_these_columns(installed: Account, team: Client) -> None:
    assert b"".join(team.get(f"{LIST}csv/")).decode().splitlines()[0] == CSV


def test_the_page_of_an_account_has_these_panels(installed: Account, team: Client) -> None:
    areas: dict[str, list[str]] = {}
    for panel in WORKLIST.panels:
        areas.setdefault(panel.area, []).append(panel.name)
    assert areas == PANELS
    text = text_of(team.get(page(installed)))
    places = [text.index(said) for said in ("Where it stands", "Readiness:", "First bill, if", "What happened")]
    assert places == sorted(places)
    assert "Asks to go live</h2>" not in text  # there is no request


def test_one_class_shows_the_worklist_and_one_the_accounts() -> None:
    for model, app in ((Onboarding, "onboarding"), (Account, "accounts")):
        kind = type(admin.site._registry[model])
        assert kind.__module__.split(".")[0] == app
        assert not kind.__subclasses__()
    assert [button.name for button in ACCOUNT_PAGE.buttons] == [
        "activate_account",
        "correct_timezone",
        "billing_profile",
    ]


def column(name: str = "new", place: int = 1, exports: Any = ()) -> Column:
    return Column(name, title=name, place=place, show=lambda row: "x", sort_by="pk", exports=exports)


def panel(name: str = "new", place: int = 1, area: str = "below") -> Panel:
    return Panel(name, "x.html", area=area, place=place, context=lambda request, row: {})


def test_places_decide_the_order_and_not_who_comes_first() -> None:
    worklist = Worklist()
    for place in (30, 10, 20):
        worklist.register_column(column(f"c{place}", place, [Export(f"e{place}", lambda row: 1, place=100 - place)]))
        worklist.register_panel(panel(f"p{place}", place))
    assert [each.name for each in worklist.columns] == ["c10", "c20", "c30"]
    assert [each.title for each in worklist.exports] == ["e30", "e20", "e10"]
    assert [each.name for each in worklist.panels] == ["p10", "p20", "p30"]


def test_a_name_or_a_place_that_is_taken_is_refused() -> None:
    worklist = Worklist()
    worklist.register_column(column(exports=[Export("new", lambda row: 1, place=1)]))
    worklist.register_panel(panel())
    worklist.register_panel(panel("other", area="top"))
    worklist.register_filter(WORKLIST.filters[0])
    worklist.register_loader(Loader("new", load=lambda rows: {}, missing=0))
    for taken in (column(place=2), column("other"), column("o", 3, [Export("new", lambda row: 1, place=2)])):
        with pytest.raises(ValueError, match="Two of"):
            worklist.register_column(taken)
    for again in (panel(place=2), panel("another")):
        with pytest.raises(ValueError, match="Two of Panel"):
            worklist.register_panel(again)
    with pytest.raises(ValueError, match="Two of Filter"):
        worklist.register_filter(replace(WORKLIST.filters[1], place=WORKLIST.filters[0].place))
    with pytest.raises(ValueError, match="Two of Loader"):
        worklist.register_loader(Loader("new", load=lambda rows: {}, missing=1))
    assert (len(worklist.columns), len(worklist.panels), len(worklist.filters), len(worklist.loaders)) == (1, 2, 1, 1)


def test_a_loader_is_asked_once_for_all_rows(make_installed: Make) -> None:
    for number in range(3):
        make_installed(str(400000 + number))
    rows, asked = list(Onboarding.objects.order_by("pk")), []

    def load(some: Any) -> dict[int, str]:
        asked.append(len(some))
        return {some[0].account_id: "known"}

    worklist, loader = Worklist(), Loader("new", load=load, missing="unknown")
    worklist.register_loader(loader)
    worklist.load(rows)
    assert asked == [3]
    assert [loader.of(row) for row in rows] == ["known", "unknown", "unknown"]


def test_a_column_that_an_app_registers_is_shown_sorted_and_exported(
    make_installed: Make, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("columns", "loaders"):  # copies, so that the registry is unchanged after the test
        monkeypatch.setattr(WORKLIST, name, list(getattr(WORKLIST, name)))
    asked = []

    def sort_by(now: Any) -> str:
        asked.append(now)
        return "account__company"

    loader = Loader("letters", load=lambda rows: {row.account_id: len(row.account.company) for row in rows}, missing=0)
    WORKLIST.register_loader(loader)
    letters = Column(
        "letters", title="Letters", place=1_000, show=loader.of, sort_by=sort_by,
        exports=[Export("letters", loader.of, place=1_000)],
    )  # fmt: skip
    WORKLIST.register_column(letters)
    make_installed("400001", company="Zebra")
    make_installed("400002", company="Ant")
    assert 'data-label="Letters">5<' in text_of(team.get(LIST))
    assert not asked
    rows = team.get(f"{LIST}?o={len(WORKLIST.columns)}").context["cl"].result_list
    assert [row.account.company for row in rows] == ["Ant", "Zebra"]
    assert len(asked) == 1
    lines = b"".join(team.get(f"{LIST}csv/?o=1")).decode().splitlines()
    assert [line.split(",")[-1] for line in lines] == ["letters", "5", "3"]


def test_what_a_panel_needs_stays_in_the_panel(
    installed: Account, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field's template shows `value`; a panel's context may have a `value` of its own, which must not leak."""
    usage = next(panel for panel in WORKLIST.panels if panel.name == "usage")
    with_value = replace(usage, context=lambda request, row: {"minutes": 7, "value": Decimal(12_345)})
    monkeypatch.setattr(WORKLIST, "panels", [with_value if panel is usage else panel for panel in WORKLIST.panels])
    text = text_of(team.get(page(installed)))
    assert text.count("12,345") == 1
    assert f'href="/admin/accounts/account/{installed.pk}/change/"' in text


def test_a_panel_that_has_nothing_to_show_is_left_out(
    installed: Account, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        WORKLIST, "panels", [replace(panel, context=lambda request, row: None) for panel in WORKLIST.panels]
    )
    text = text_of(team.get(page(installed)))
    for said in ("Where it stands", "Readiness:", "Toll-free minutes", "First bill", "What happened"):
        assert said not in text


def test_panels_and_buttons_are_asked_only_for_those_who_may(
    installed: Account, client: Client, make_user: Any, supporter: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def context(request: Any, row: Any) -> None:
        asked.append("panel")

    monkeypatch.setattr(WORKLIST, "panels", [replace(panel(), context=context)])
    client.force_login(make_user("new@example.com", is_staff=True))
    assert client.get(page(installed)).status_code == 403
    assert not asked
    client.force_login(supporter)  # can only view
    assert "Activate…" not in text_of(client.get(page(installed)))
    assert asked == ["panel"]
    assert client.get(page(installed, "activate_one")).status_code == 403
