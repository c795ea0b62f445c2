"""A page of a row to which several apps add: each registers small typed objects with the page of the app below it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from unfold.dataclasses import UnfoldAction
from unfold.enums import ActionVariant

from core.admin.bases import BaseAdmin
from core.verbs import stands_for

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Panel:
    """A part of the page: its template, and a function of the request and the row that returns what the template needs.

    The function returns None if the panel has nothing to show. `area` says where on the page the panel stands: the
    template of the page, or that of another panel, has `{% panels_in "area" %}` there. `place` orders those of an area.
    """

    name: str
    template: str
    area: str
    place: int
    context: Callable[[HttpRequest, Any], dict[str, Any] | None]


@dataclass(frozen=True, eq=False)
class Button:
    """A button above the form: who may press it, for which rows it is offered, and the view it leads to.

    The view gets the page's admin, the request and the key of the row, and is only called with the permission. What it
    refuses is recorded under the `verb`.
    """

    name: str
    title: str
    path: str
    icon: str
    place: int
    permission: str
    verb: str
    view: Callable[[Any, HttpRequest, str], HttpResponse]
    is_offered: Callable[[Any], bool]
    is_primary: bool = False


@dataclass(frozen=True, eq=False)
class FixedField:
    """A field that can no longer be changed in the form of rows for which `is_fixed` is true."""

    name: str
    is_fixed: Callable[[Any], bool]


@dataclass
class Page:
    """What apps have registered with the page, each list in the order in which it is shown."""

    panels: list[Panel] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    fixed_fields: list[FixedField] = field(default_factory=list)

    def register_panel(self, panel: Panel) -> None:
        insert(panel, self.panels, beside=[each for each in self.panels if each.area == panel.area])

    def register_button(self, button: Button) -> None:
        insert(button, self.buttons)

    def register_fixed_field(self, fixed: FixedField) -> None:
        self.fixed_fields.append(fixed)

    def button(self, name: str) -> Button | None:
        return next((button for button in self.buttons if button.name == name), None)


def insert(new: T, among: list[T], *, beside: list[T] | None = None) -> None:
    """Put what is registered in its place. Raises ValueError if its name is taken, or its place `beside` others."""
    check_differs(new, among, "name")
    check_differs(new, among if beside is None else beside, "place")
    among.append(new)
    among.sort(key=attrgetter("place"))


def check_differs(new: Any, others: list[Any], attribute: str) -> None:
    """Raise ValueError if one of the others has the same name or place: what is shown would depend on chance."""
    value = getattr(new, attribute)
    if any(getattr(each, attribute) == value for each in others):
        raise ValueError(f"Two of {type(new).__name__} have the {attribute} {value!r}.")


class ComposedAdmin(BaseAdmin):
    """The page of a row with what apps have registered for it."""

    page: Page

    @property
    def actions_detail(self) -> tuple[str, ...]:
        return tuple(button.name for button in self.page.buttons)

    def get_unfold_action(self, action: str) -> UnfoldAction:
        button = self.page.button(action)
        if button is None:  # one of the list, which has other actions than the page of a row
            return super().get_unfold_action(action)

        @stands_for(button.verb)
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not request.user.has_perm(button.permission):
                raise PermissionDenied
            return button.view(self, request, object_id)

        view.attrs = {}  # type: ignore[attr-defined] # unfold reads it from the view, too
        return UnfoldAction(
            action_name=f"{self.opts.app_label}_{self.opts.model_name}_{button.name}",
            method=view,
            description=button.title,
            path=button.path,
            attrs={},
            icon=button.icon,
            variant=ActionVariant.PRIMARY if button.is_primary else ActionVariant.DEFAULT,
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Return the buttons that are offered for this row to this member of staff."""
        row = self.get_object(request, str(object_id))
        return [
            self.get_unfold_action(button.name)
            for button in self.page.buttons
            if row and request.user.has_perm(button.permission) and button.is_offered(row)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = (each.name for each in self.page.fixed_fields if obj and each.is_fixed(obj))
        return (*super().get_readonly_fields(request, obj), *fixed)

    def change_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return as `panels`, by their area, the panels that are shown and what each needs."""
        shown: dict[str, list[tuple[Panel, dict[str, Any]]]] = {}
        for panel in self.page.panels:
            needed = panel.context(request, obj)
            if needed is not None:
                shown.setdefault(panel.area, []).append((panel, needed))
        return {"panels": shown}
