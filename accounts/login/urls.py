"""The URLs of login: those of django-allauth that we use, listed one by one, and our own.

We leave out its email page, where an address can be used to log in before anybody has confirmed it (ours is in
`change_of_address`), login with a passkey alone, and trusted browsers that skip the second factor.

Pages that change how somebody logs in are `atomic`: the email about the change is queued in the same transaction.
"""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.db.transaction import atomic
from django.urls import path, re_path, reverse_lazy
from django.views.i18n import set_language

from accounts.login import pages
from accounts.login.moved import moved
from accounts.login.second_factor import ActivateApp, AddPasskey, NewCodes, ShowPasskeyAgain

home = reverse_lazy("mfa_index")

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("login/inactive/", views.account_inactive, name="account_inactive"),
    path("login/signup/", views.signup, name="account_signup"),
    path("login/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("login/password/change/", atomic(views.password_change), name="account_change_password"),
    path("login/password/set/", atomic(views.password_set), name="account_set_password"),
    path("login/password/reset/", views.password_reset, name="account_reset_password"),
    path("login/password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^login/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        atomic(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "login/password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    # The user's own login.
    path("login/you/", pages.YourLogin.as_view(), name="mfa_index"),
    path("login/you/language/", pages.own_language, name="own_language"),
    path("login/language/", set_language, name="set_language"),
    path("login/you/address/", pages.ask_for_address_page, name="change_address"),
    path("login/you/address/<str:key>/", pages.confirm_address, name="confirm_address"),
    path("login/you/places/<int:pk>/end/", pages.end_session, name="end_session"),
    path("login/you/places/end/", pages.log_out_everywhere, name="log_out_everywhere"),
    # The second factor: at login, again before a sensitive change, and its management.
    path("login/second-factor/", mfa.authenticate, name="mfa_authenticate"),
    path("login/second-factor/again/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("login/second-factor/again/passkey/", ShowPasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("login/second-factor/app/", ActivateApp.as_view(), name="mfa_activate_totp"),
    path("login/second-factor/app/remove/", atomic(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("login/second-factor/passkeys/add/", AddPasskey.as_view(), name="mfa_add_webauthn"),
    path(
        "login/second-factor/passkeys/<int:pk>/name/",
        webauthn.EditWebAuthnView.as_view(success_url=home),
        name="mfa_edit_webauthn",
    ),
    path(
        "login/second-factor/passkeys/<int:pk>/remove/",
        atomic(webauthn.RemoveWebAuthnView.as_view(success_url=home)),
        name="mfa_remove_webauthn",
    ),
    path("login/second-factor/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("login/second-factor/codes/new/", NewCodes.as_view(), name="mfa_generate_recovery_codes"),
    # Where all of this was before: links in emails, and what people kept.
    path("sign-in/<path:rest>", moved),
]
