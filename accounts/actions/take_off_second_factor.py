"""The action that resets the second factor of a user who lost it."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts.login.mail import LoginMail, queue_login_mail
from accounts.models import User
from core.history import attributed


@transaction.atomic
def take_off_second_factor(user: User, *, by: User) -> None:
    """Remove all factors and recovery codes of a user who lost them, and log the user out everywhere.

    The user's history says who did it, and the user gets an email. The caller must check that `by` may do it.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    vars(user)["_change_reason"] = "Second factor taken off"
    attributed(user, to=by).save()
    queue_login_mail(LoginMail.FACTOR_TAKEN_OFF, user)
