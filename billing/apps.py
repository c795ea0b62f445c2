from accounts.groups import BILLING_TEAM, GrantingAppConfig


class BillingConfig(GrantingAppConfig):
    default = True
    name = "billing"
    grants = {BILLING_TEAM: ["add_callimport", "issue_creditnote", "decide_heldbill"]}
