from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from accounts.zone_rules import check_zones, load_zone_rules
from core.groups import ONBOARDING_TEAM, GrantingAppConfig
from core.roles.uses import Uses


class AccountsConfig(GrantingAppConfig):
    default = True
    name = "accounts"
    grants = {
        ONBOARDING_TEAM: [
            "add_account",
            "change_account",
            "add_contact",
            "change_contact",
            "delete_contact",
            "add_user",
            "add_serviceuser",
            "add_phonenumber",
            "change_phonenumber",
        ],
    }

    uses = Uses(
        deletes=["Contact"],
        only_reads=["accounts_timezone"],
        of_web=["Contact", "User", "HistoricalContact", "HistoricalUser"],
        worker_adds=["User", "HistoricalUser"],  # the system member, when it first acts
        hidden=["User.password"],
    )

    def ready(self) -> None:
        super().ready()
        register(check_zones, Tags.database)
        post_migrate.connect(load_zone_rules, sender=self)
        # These modules import models, which are not loaded before this point.
        from accounts.staff_contacts import check_staff_contacts  # noqa: PLC0415

        register(check_staff_contacts, Tags.database)
        from accounts.login.mail import EMAIL_KIND, open_batch  # noqa: PLC0415
        from core.outbox.kinds import register as register_email  # noqa: PLC0415

        register_email(EMAIL_KIND, open_batch, is_secret=True)
