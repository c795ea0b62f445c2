from accounts.groups import GrantingAppConfig


class BillingConfig(GrantingAppConfig):
    default = True
    name = "billing"
