"""The three staff groups (R27), and the permissions that each app grants them after `migrate`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_noop

from core.roles.uses import Uses

ONBOARDING_TEAM = "Onboarding team"
BILLING_TEAM = gettext_noop("Billing team")
SUPPORT = "Support (read only)"


class GrantingAppConfig(AppConfig):
    """An app that grants permissions on its models: view to the groups in `seen_by`, and those in `grants`.

    `uses` is what the database's roles need of its tables beyond the rule (`core/roles/needs.py`).
    """

    default = False  # each app's own config sets True; without this, Django finds two and can't choose
    seen_by: Sequence[str] = (ONBOARDING_TEAM, BILLING_TEAM, SUPPORT)
    grants: Mapping[str, Sequence[str]] = {}
    uses = Uses()

    def ready(self) -> None:
        # The signal is sent once for each app, after django.contrib.auth has created the app's permissions.
        post_migrate.connect(grant_permissions, sender=self)


def grant_permissions(sender: GrantingAppConfig, using: str, **kwargs: Any) -> None:
    """Give each group its permissions on the sender's models. Permissions granted by hand stay."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    of_app = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    for name in (ONBOARDING_TEAM, BILLING_TEAM, SUPPORT):
        group, _ = Group.objects.using(using).get_or_create(name=name)
        codenames = sender.grants.get(name, ())
        given = list(of_app.filter(codename__in=codenames))
        missing = set(codenames) - {permission.codename for permission in given}
        assert not missing, f"{sender.label} grants what it does not have: {missing}"
        seen = of_app.filter(codename__startswith="view_") if name in sender.seen_by else ()
        group.permissions.add(*seen, *given)


def create_cache_table(using: str, **kwargs: Any) -> None:
    """Create the table of the database cache, for which Django has no migration."""
    assert "DatabaseCache" in settings.CACHES["default"]["BACKEND"]
    call_command("createcachetable", database=using, verbosity=0)
