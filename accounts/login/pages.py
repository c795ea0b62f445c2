"""The pages where users manage their own login: address, language, second factor, and where they are logged in."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.logout import logout
from allauth.core import ratelimit
from allauth.mfa.base.views import IndexView
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.language import choose_language, remember_language
from accounts.login.change_of_address import ask_for_address, change_address
from accounts.login.tokens import new_address
from accounts.models import User


class YourLogin(IndexView):
    """Show everything about the user's own login on one page."""

    template_name = "account/your_login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # django-allauth deletes the rows of ended sessions only at the next login, so leave them out here.
        alive = Session.objects.filter(expire_date__gt=Now()).values("session_key")
        sessions = UserSession.objects.filter(user=self.request.user, session_key__in=alive)
        context: dict[str, Any] = super().get_context_data(
            sessions=sorted(sessions, key=lambda session: (not session.is_current(), -session.pk)), **kwargs
        )
        return context


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Log the user out of one of their sessions."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    end_sessions(request, [session])
    messages.success(request, gettext("You are logged out there."))
    return redirect("mfa_index")


@login_required
@require_POST
def own_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the user's pages and emails; for a language we don't have, say so and change nothing."""
    user = request.user
    assert isinstance(user, User)
    try:
        choose_language(user, request.POST.get("language", ""))
    except ValueError:
        messages.error(request, gettext("Choose a language of the list."))
        return redirect("mfa_index")
    with translation.override(user.language):
        messages.success(request, gettext("Pages and e-mail are in this language from now on."))
    response = redirect("mfa_index")
    remember_language(response, user.language)
    return response


@login_required
@require_POST
def log_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Log the user out everywhere, including here."""
    end_other_sessions(request, request.user)
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request, show_message=False)
    messages.success(request, gettext("You are logged out everywhere."))
    return redirect("account_login")


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("New e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("We send a link there. Until you follow it, you log in with the address you have."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"].lower()
        if address == self.user.email:
            raise ValidationError(_("You log in with this address already."), code="same_address")
        return address


@login_required
@reauthentication_required(app="allauth.account")
def ask_for_address_page(request: HttpRequest) -> HttpResponse:
    """Show the form for a new login address, and send the link that confirms it."""
    user: Any = request.user
    form = AddressForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        too_many: HttpResponse | None = ratelimit.consume_or_429(request, action="manage_email", user=user)
        if too_many:
            return too_many
        ask_for_address(user, form.cleaned_data["email"])
        return render(request, "account/address_asked.html", {"address": form.cleaned_data["email"]})
    return render(request, "account/address.html", {"form": form}, status=422 if form.errors else 200)


@login_required
def confirm_address(request: HttpRequest, key: str) -> HttpResponse:
    """Show what the link changes, and change it only when the user posts: mail scanners follow links too."""
    user: Any = request.user
    try:
        if request.method == "POST":
            user = change_address(user, key)
            messages.success(request, gettext("You log in with %(email)s from now on.") % {"email": user.email})
            return redirect("mfa_index")
        return render(request, "account/address_confirm.html", {"address": new_address(user, key)})
    except ValidationError as refusal:
        return render(request, "account/address_confirm.html", {"refusal": refusal.message}, status=422)
