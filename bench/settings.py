"""The platform's settings with one route more: the baseline of `bench.web`."""

from config.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "bench.urls"
