"""The product's settings in an environment of their own."""

from tests import environment  # noqa: F401, I001 - first: it fixes what the next line reads
from config.settings import *  # noqa: F403
