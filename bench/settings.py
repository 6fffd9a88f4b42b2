"""The platform's settings with one more route, the baseline of `bench.web`."""

from config.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "bench.urls"
