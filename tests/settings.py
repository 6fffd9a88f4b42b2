"""The product's settings in an environment of their own."""

from tests import environment  # noqa: F401, I001 - it sets the environment that the next line reads
from config.settings import *  # noqa: F403
