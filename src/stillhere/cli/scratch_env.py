"""A command's own temporary data folder, whatever the settings of this machine's installation are.

For commands that measure or simulate: they create keys that seal nothing real, and never see the
installation's settings, database or people.
"""

from __future__ import annotations

import os
from pathlib import Path

from stillhere.config import keys


def set_up(data: Path) -> None:
    """Forget all our settings, and start in the empty folder ``data``."""
    for name in [name for name in os.environ if name.startswith("STILLHERE_")]:
        del os.environ[name]
    os.environ["DJANGO_SETTINGS_MODULE"] = "stillhere.config.settings"
    os.environ["STILLHERE_DATA"] = str(data)
    os.environ["STILLHERE_BASE_URL"] = "http://localhost:8420"
    keys.ensure_folder(data)
    keys.create_missing(data / keys.FOLDER)
