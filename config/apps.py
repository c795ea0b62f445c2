from accounts.groups import BILLING_TEAM, ONBOARDING_TEAM, GrantingAppConfig


class ConfigApp(GrantingAppConfig):
    """Carries what concerns the whole: the queue of jobs, health, and commands like the demo."""

    default = True
    name = "config"
    verbose_name = "Operations"
    seen_by = (ONBOARDING_TEAM, BILLING_TEAM)
    grants = {ONBOARDING_TEAM: ["retry_job"], BILLING_TEAM: ["retry_job"]}
