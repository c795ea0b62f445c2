from core.groups import ONBOARDING_TEAM, GrantingAppConfig


class OnboardingConfig(GrantingAppConfig):
    default = True
    name = "onboarding"
    grants = {ONBOARDING_TEAM: ["activate_account", "change_onboarding", "send_notice"]}
