"""The platform's settings with more routes, the baselines of `bench.web` and `bench.lists`."""

from config.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "bench.urls"
