"""The action that resets the second factor of a user who lost it."""

from functools import partial

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts.login.change_of_address import mail_about_log_in
from accounts.models import User
from core.history import attributed


def take_off_second_factor(user: User, *, by: User) -> None:
    """Remove all factors and recovery codes of a user who lost them, and log the user out everywhere.

    The user's history says who did it, and the user gets an email. The caller must check that `by` may do it.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user=user).delete()
        for session in UserSession.objects.filter(user=user):
            session.end()
        vars(user)["_change_reason"] = "Second factor taken off"
        attributed(user, to=by).save()
        transaction.on_commit(partial(mail_about_log_in, user.email, "factor_taken_off", {"user": user}), robust=True)
