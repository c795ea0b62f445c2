from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from core.groups import BILLING_TEAM, ONBOARDING_TEAM, GrantingAppConfig, create_cache_table
from core.guards import check_guards
from core.roles.checking import check_role
from core.roles.uses import Uses
from core.session import check_session


class CoreConfig(GrantingAppConfig):
    default = True
    name = "core"
    verbose_name = "Operations"
    seen_by = (ONBOARDING_TEAM, BILLING_TEAM)
    grants = {ONBOARDING_TEAM: ["retry_job"], BILLING_TEAM: ["retry_job"]}

    uses = Uses(deletes=["JobError"], hidden=["OutgoingEmail.data"])

    def ready(self) -> None:
        super().ready()
        register(check_guards, Tags.database)
        register(check_session, Tags.database)
        register(check_role, Tags.database, deploy=True)
        post_migrate.connect(create_cache_table, sender=self)
