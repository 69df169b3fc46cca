"""The product's own settings over a data folder that lives as long as this process.

`python -m tests.postgres COMMAND` sets STILLHERE_DATABASE_URL; otherwise the database is a SQLite
file, as in real life: tests of several threads need committed data. It lies in memory where the
machine has room for that: every commit asks for the disk as it does in real life, and none waits.
Tests that kill or tear have installations of their own, on the disk.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from stillhere.config import keys

_database_url = os.environ.get("STILLHERE_DATABASE_URL", "")
for _name in [name for name in os.environ if name.startswith("STILLHERE_")]:
    del os.environ[_name]  # a developer's own settings are not the tests'
os.environ["STILLHERE_DATABASE_URL"] = _database_url
os.environ["STILLHERE_BASE_URL"] = "http://localhost:8420"
os.environ["STILLHERE_PROGRAM"] = "Example County Neighbours"

_MEMORY = Path("/dev/shm")
_roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2**30
_data = Path(tempfile.mkdtemp(prefix="stillhere-tests-", dir=_MEMORY if _roomy else None))
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["STILLHERE_DATA"] = str(_data)
keys.ensure_folder(_data)
keys.create_missing(_data / keys.FOLDER)

from stillhere.config.settings import *  # noqa: E402, F403
from stillhere.config.settings import DATABASES  # noqa: E402

if not _database_url:
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}
    del DATABASES["default"]["OPTIONS"]["mode"]  # this one is made as it is opened
else:
    DATABASES["default"]["ENGINE"] = "tests.quick_postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = 0  # threads of tests end with them, and what they opened too
# Without a manifest: pages under test name their files as they are.
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

PASSWORD_HASHERS = ["tests.pins.Quick"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

if "mypy" in sys.modules:  # it reads settings to learn their types, and leaves without saying so
    shutil.rmtree(_data)
