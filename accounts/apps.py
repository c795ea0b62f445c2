from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from accounts.groups import ONBOARDING_TEAM, GrantingAppConfig, create_cache_table
from accounts.guards import check_guards
from accounts.zone_rules import check_zones, load_zone_rules


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

    def ready(self) -> None:
        super().ready()
        register(check_guards, Tags.database)
        register(check_zones, Tags.database)
        post_migrate.connect(create_cache_table, sender=self)
        post_migrate.connect(load_zone_rules, sender=self)
