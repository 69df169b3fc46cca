"""A Stillhere of tomorrow: one migration more than this one has."""

from stillhere.config.settings import *  # noqa: F403
from stillhere.config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.house.later"]
