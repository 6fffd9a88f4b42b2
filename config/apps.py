from django.apps import AppConfig


class WiringConfig(AppConfig):
    """Commands and checks that belong to the whole and to no app."""

    name = "config"
    verbose_name = "Videoflix"
