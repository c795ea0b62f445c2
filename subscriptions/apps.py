from core.groups import BILLING_TEAM, ONBOARDING_TEAM, GrantingAppConfig
from core.roles.uses import Uses


class SubscriptionsConfig(GrantingAppConfig):
    default = True
    name = "subscriptions"
    grants = {
        ONBOARDING_TEAM: ["add_contactcenter", "change_contactcenter"],
        BILLING_TEAM: ["add_price", "change_price", "delete_price"],
    }
    uses = Uses(deletes=["Price"])
