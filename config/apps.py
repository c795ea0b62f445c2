from django.apps import AppConfig


class ConfigApp(AppConfig):
    """Carries the commands that concern the whole, like the demo."""

    name = "config"
