"""Whom documents come from and go to: the issuers, and what billing profiles add to other pages."""

from collections.abc import Iterable
from datetime import UTC, date
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Case, Exists, OuterRef, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.admin import ACCOUNT_PAGE
from accounts.models import Account
from accounts.roles import staff_of
from accounts.verbs import BACK_OFFICE
from billing.actions import save_issuer, set_billing_profile
from billing.actions.set_billing_profile import PERMISSION
from billing.documents.freezing import date_refusal
from billing.forms import BillingProfileForm
from billing.models import BillingProfile, Issuer
from core.admin import Button, FullCheckForm, ReadOnlyAdmin, Writes, WritingAdmin
from core.clock import database_now
from core.refusals import AlreadyDone, show_as_message, show_refusal
from onboarding.admin.worklist import WORKLIST, Filter
from onboarding.models import Onboarding


class IssuerForm(FullCheckForm):
    """The form of an issuer. A date of the past is refused here, so that nothing typed is lost."""

    def clean_effective_from(self) -> date:
        day: date = self.cleaned_data["effective_from"]
        if refusal := date_refusal(day, database_now()):
            raise refusal
        return day


@admin.register(Issuer)
class IssuerAdmin(WritingAdmin):
    """The provider as documents name it. Rows are only added: issued documents refer to them."""

    form = IssuerForm
    writes = {Issuer: Writes(save_issuer)}
    list_display = ("legal_name", "effective_from", "in_force", "terms_days", "added_by", "added_at")
    list_select_related = ("added_by",)
    fieldsets = (
        (
            None,
            {
                "fields": (("effective_from", "legal_name"), "tax_number"),
                "description": "Issued documents keep the issuer they name. To change something, add another.",
            },
        ),
        ("Address", {"fields": (("street", "street_2"), ("city", "region"), ("postal_code", "country"))}),
        ("Questions", {"fields": (("contact_name", "email"), "phone")}),
        ("Payment", {"fields": ("terms_days", "payment_instructions")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Issuer | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issuer]:
        issuers: QuerySet[Issuer] = super().get_queryset(request)
        today = Issuer.objects.in_force(database_now().astimezone(UTC).date())
        return issuers.annotate(is_todays=Case(When(pk=today.pk if today else None, then=True), default=False))

    @display(description="In force today", boolean=True)
    def in_force(self, issuer: Any) -> bool:
        return bool(issuer.is_todays)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the values of the latest issuer, since most of them stay."""
        today = database_now().astimezone(UTC).date()
        latest = Issuer.objects.first()
        names = [field.name for field in Issuer._meta.concrete_fields if field.editable and not field.primary_key]
        values = {name: getattr(latest, name) for name in names} if latest else {}
        return {**values, "effective_from": today}


@admin.register(BillingProfile)
class BillingProfileAdmin(ReadOnlyAdmin):
    """All versions of billing profiles. They are changed on the page of their account."""

    list_display = ("account", "version", "legal_name", "country", "language", "saved_by", "saved_at")
    list_select_related = ("account", "saved_by")
    search_fields = ("legal_name", "account__number", "account__company")
    ordering = ("-pk",)
    fields = (
        ("account", "version"),
        ("legal_name", "tax_number"),
        ("street", "street_2"),
        ("city", "region"),
        ("postal_code", "country"),
        ("purchase_order", "invoice_email"),
        ("language", "xml_by_email"),
        ("saved_by", "saved_at"),
    )


class StaffProfileForm(BillingProfileForm):
    """The form with the back office's widgets."""

    class Meta(BillingProfileForm.Meta):
        widgets = {
            **dict.fromkeys(BillingProfileForm.Meta.fields, UnfoldAdminTextInputWidget),
            "country": UnfoldAdminSelectWidget,
            "language": UnfoldAdminSelectWidget,
            "invoice_email": UnfoldAdminEmailInputWidget,
            "xml_by_email": UnfoldBooleanWidget,
        }


def profile_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form of an account's billing profile, or save it if the form was posted. Both need the permission."""
    account = model_admin.row_or_404(request, object_id)
    by = staff_of(request, PERMISSION)
    back = reverse("admin:accounts_account_change", args=[account.pk])
    current = BillingProfile.objects.of(account)
    posted = request.POST if request.method == "POST" else None
    form = StaffProfileForm(posted, current=current, company=account.company)
    if form.is_valid():
        try:
            set_billing_profile(account, form.instance, by=by, seen=form.cleaned_data["seen"])
        except AlreadyDone as answer:
            show_as_message(request, answer)
            return HttpResponseRedirect(back)
        except ValidationError as refusal:
            show_refusal(form, refusal)
            form.accept_current(BillingProfile.objects.of(account))
        else:
            messages.success(request, f"The billing profile of {account} was saved.")
            return HttpResponseRedirect(back)
    frame = {**model_admin.admin_site.each_context(request), "title": "Billing profile", "opts": model_admin.opts}
    context = {"form": form, "back": back, "account": account, "profile": current, "button": "Save", "icon": "check"}
    return TemplateResponse(request, "admin/accounts/account/billing_profile.html", {**frame, **context})


ACCOUNT_PAGE.register_button(
    Button(
        "billing_profile",
        title="Billing profile…",
        path="billing-profile",
        icon="contact_mail",
        place=30,
        permission=PERMISSION,
        verb=BACK_OFFICE,
        view=profile_page,
        is_offered=lambda account: isinstance(account, Account),
    )
)


class ProfileFilter(admin.SimpleListFilter):
    title = "billing profile"
    parameter_name = "profile"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("missing", "Missing"), ("there", "Filled in")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Onboarding]) -> QuerySet[Onboarding]:
        has_profile = Exists(BillingProfile.objects.filter(account=OuterRef("account")))
        of = {"missing": ~has_profile, "there": has_profile}
        return queryset.filter(of[self.value() or ""]) if self.value() in of else queryset


WORKLIST.register_filter(Filter(ProfileFilter, place=55))
