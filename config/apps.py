from django.apps import AppConfig
from django.contrib.admin import site


class WiringConfig(AppConfig):
    """Commands and checks that belong to the whole and to no app."""

    name = "config"
    verbose_name = "Videoflix"

    def ready(self) -> None:
        site.site_header = site.site_title = "Videoflix"
        site.index_title = "Administration"
