"""Accounts, their contacts, and their service users."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget

from accounts.actions import remove_contact, save_account, save_contact, save_number, save_service_user
from accounts.models import Account, Contact, PhoneNumber, Role, ServiceUser
from accounts.models.account import NOT_A_PLACE
from accounts.zone_rules import offered_zones
from accounts.zones import places
from core.admin.bases import BaseInline, FullCheckForm, HistoryAdmin, Writes
from core.admin.composed import ComposedAdmin, Page


class ContactInline(BaseInline):
    model = Contact
    autocomplete_fields = ("user",)
    fields = ("user", "role")


class PhoneNumberInline(BaseInline):
    """The account's numbers. They can be added here, and changed on their own pages."""

    model = PhoneNumber
    fields = ("number", "kind")
    readonly_fields = ("kind",)
    hide_title = False  # the title has the link to the number's own page
    show_change_link = True
    per_page = 50

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def zone_choices(current: str = "") -> list[tuple[str, str]]:
    """Return the choices of time zones, each with its country to search by, including the `current` one. One query."""
    countries = places()
    names = offered_zones()
    if current and current not in names:
        names = [current, *names]
    return [(name, f"{name} – {countries[name]}" if countries.get(name) else name) for name in names]


def zone_field(current: str = "", **options: Any) -> forms.ChoiceField:
    """Return a searchable field of the time zones that can be chosen, including the `current` one."""
    return forms.ChoiceField(
        choices=lambda: zone_choices(current),
        widget=UnfoldAdminSelect2Widget,
        error_messages={"invalid_choice": NOT_A_PLACE},
        **options,
    )


class AccountForm(FullCheckForm):
    """The form of an account, whose time zone can be searched by place or country."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            field = self.fields["timezone"]
            self.fields["timezone"] = zone_field(
                self.instance.timezone if self.instance.pk else "",
                label=field.label,
                help_text=field.help_text,
                initial=field.initial,
            )


ACCOUNT_PAGE = Page()
"""What higher apps add to an account's page: buttons, and fields that can no longer be changed."""


@admin.register(Account)
class AccountAdmin(ComposedAdmin, HistoryAdmin):
    """The provider's customers, with their contacts and numbers, and what other apps have registered."""

    page = ACCOUNT_PAGE
    form = AccountForm
    list_display = ("number", "company", "owners", "timezone", "created_at")
    list_display_links = ("number", "company")
    search_fields = ("number", "company", "contacts__user__email")
    search_help_text = "Number, company, or a contact's e-mail address"
    fields: Any = ("number", "company", "timezone", "created_at")
    readonly_fields: Any = ("created_at",)
    inlines = (ContactInline, PhoneNumberInline)
    writes = {
        Account: Writes(save_account),
        Contact: Writes(save_contact, remove_contact),
        PhoneNumber: Writes(save_number),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        owners = Contact.objects.filter(role=Role.OWNER).select_related("user")
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.prefetch_related(Prefetch("contacts", owners, to_attr="listed_owners"))

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> Any:
        """Make the number read-only too once the account exists, since bills and letters contain it."""
        fixed = ("number",) if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    @display(description="Owners")
    def owners(self, account: Any) -> str:
        return ", ".join(contact.user.email for contact in account.listed_owners)


@admin.register(Contact)
class ContactAdmin(HistoryAdmin):
    list_display = ("user", "account", "role")
    list_filter = ("role",)
    list_select_related = ("user", "account")
    search_fields = ("user__email", "user__first_name", "user__last_name", "account__number", "account__company")
    autocomplete_fields = ("account", "user")
    fields = ("account", "user", "role")
    ordering = ("-pk",)
    kept = False
    writes = {Contact: Writes(save_contact, remove_contact)}


@admin.register(ServiceUser)
class ServiceUserAdmin(HistoryAdmin):
    """The customers' service users. Their role in Contact Center is assigned in HostPilot, according to its rules."""

    list_display = ("name", "email", "account", "contact_center_role")
    list_filter = ("contact_center_role",)
    list_select_related = ("account",)
    search_fields = ("name", "email", "account__number", "account__company")
    autocomplete_fields = ("account",)
    fields = ("account", "name", "email", "contact_center_role", "created_at")
    ordering = ("-pk",)
    writes = {ServiceUser: Writes(save_service_user)}

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceUser | None = None) -> Any:
        fixed = ("account",) if obj else ()
        return (*super().get_readonly_fields(request, obj), "contact_center_role", "created_at", *fixed)
