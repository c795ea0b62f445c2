from core.groups import ONBOARDING_TEAM, GrantingAppConfig


class OnboardingConfig(GrantingAppConfig):
    default = True
    name = "onboarding"
    grants = {ONBOARDING_TEAM: ["activate_account", "change_onboarding", "send_notice"]}

    def ready(self) -> None:
        super().ready()
        # These modules import models, which are not loaded before this point.
        from core.outbox.kinds import register  # noqa: PLC0415
        from onboarding.notices.kinds import EMAIL_KIND  # noqa: PLC0415
        from onboarding.notices.mailing import open_batch  # noqa: PLC0415

        register(EMAIL_KIND, open_batch)
