"""Users who log in, and the permissions of staff. Only superusers can make users staff or grant permissions."""

from typing import TYPE_CHECKING, Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import (
    AdminPasswordChangeForm,
    UnfoldReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)

from accounts.actions import save_user, take_off_second_factor
from accounts.login.mail import LoginMail, queue_login_mail
from accounts.login.second_factor import has_second_factor
from accounts.models import User
from accounts.staff_contacts import staff_refusal
from core.admin.bases import BaseAdmin, FullCheckForm, HistoryAdmin, Writes, shows_the_past
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT

if TYPE_CHECKING:
    BaseUserAdmin = DjangoUserAdmin[User]
else:
    BaseUserAdmin = DjangoUserAdmin

PERSON = ("email", "first_name", "last_name", "language")


class NewUserForm(FullCheckForm, UserCreationForm):
    """The form of a new user, with or without a password."""

    class Meta:
        model = User
        fields = PERSON
        field_classes: dict[str, type[forms.Field]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["usable_password"]
        choice.label = "Log-in"
        choice.help_text = "Without a password, the user sets one by “Forgotten password?” on the log-in page."
        choice.choices = choice.widget.choices = [("true", "With this password"), ("false", "Without a password yet")]


class PasswordState(UnfoldReadOnlyPasswordHashWidget):
    """Says whether a user has a password. Django's widget shows parts of its hash."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        has_one = bool(value) and is_password_usable(value)
        context["summary"] = [{"label": "A password is set." if has_one else "No password is set."}]
        return context


class ChangedUserForm(FullCheckForm, UserChangeForm):
    """The form of a user. A contact who would become staff is refused here, so that nothing typed is lost."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            self.fields["password"].widget = PasswordState()

    def _post_clean(self) -> None:
        super()._post_clean()
        if refusal := staff_refusal(self.instance, User.objects.filter(pk=self.instance.pk).first()):
            self.add_error(None, refusal)


@admin.register(User)
class UserAdmin(HistoryAdmin, BaseUserAdmin, ModelAdmin):  # type: ignore[misc]
    """Everyone who logs in. Users are deactivated, never deleted.

    Staff who are not superusers can add and change only customers' users. Their forms don't have staff status, groups
    and permissions, and they can't change users who are staff, including themselves.
    """

    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    actions_detail = ("take_off",)
    writes = {User: Writes(save_user)}
    add_fieldsets = ((None, {"fields": (*PERSON, "usable_password", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        staff = ("is_staff", "is_superuser", "groups", "user_permissions") if request.user.is_superuser else ()
        password = () if shows_the_past(request) else ("password",)  # history doesn't contain it
        return (
            (None, {"fields": (*PERSON, *password, "is_active")}),
            *([("Staff", {"fields": staff})] if staff else []),
            ("Dates", {"fields": ("last_login", "date_joined")}),
        )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        if obj is None or request.user.is_superuser:
            return allowed
        # Check the user in the database, since the form may have changed `obj` already.
        return allowed and not self._are_staff(User.objects.filter(pk=obj.pk))

    def _are_staff(self, users: QuerySet[User]) -> bool:
        return (users.filter(is_staff=True) | users.filter(is_superuser=True)).exists()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the button only if the user has a second factor, and only to those who may change the user."""
        user = self.get_object(request, str(object_id))
        offered = user and has_second_factor(user) and self.has_change_permission(request, user)
        return super().get_actions_detail(request, object_id) if offered else []

    @action(description="Take off the second factor…", url_path="second-factor", icon="phonelink_erase")
    def take_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Remove the second factor of a user who lost it, after a page that asks for confirmation."""
        user = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied("This log-in is not yours to change.")
        back = reverse("admin:accounts_user_change", args=[user.pk])
        if request.method == "POST":
            take_off_second_factor(user, by=cast(User, request.user))
            messages.success(request, f"{user} logs in with the password alone until a new second factor is set up.")
            return HttpResponseRedirect(back)
        context = {**self.admin_site.each_context(request), "title": "Take off the second factor", "opts": self.opts}
        return TemplateResponse(
            request, "admin/accounts/user/second_factor.html", {**context, "person": user, "back": back}
        )

    # Django's own decorator takes effect only in super(), and the queries before it can fail and be reported too.
    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Show or process the form of a new password; the user gets an email about it."""
        of_user = User.objects.filter(pk=self._checked_key(id))
        with transaction.atomic():
            before = of_user.values_list("password", flat=True).first()
            response: HttpResponse = super().user_change_password(request, id, form_url)
            user = of_user.first()
            if user and user.password != before:
                queue_login_mail(LoginMail.PASSWORD_SET_BY_STAFF, user)
        return response

    def _add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show or process the form of a new user.

        This skips Django's check for the change permission, which is needed only because Django's form can grant staff
        status; ours can't.
        """
        return self.changeform_view(request, None, form_url, extra_context)


admin.site.unregister(Group)
admin.site.unregister(EmailAddress)  # users log in with their address, which is on the user's own page
admin.site.unregister([Authenticator, UserSession])  # their pages would show and change secrets


@admin.register(Group)
class GroupAdmin(BaseAdmin, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """The permissions of each team. Only superusers can change them; the product's three teams can't be renamed
    or deleted."""

    kept = False

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return ("name",) if _is_of_the_product(obj) else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser) and not _is_of_the_product(obj)


def _is_of_the_product(group: Group | None) -> bool:
    return group is not None and group.name in (ONBOARDING_TEAM, BILLING_TEAM, SUPPORT)
