"""Somebody who is erased while their call for help in secret goes on."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0013_force")]

    operations: ClassVar = [
        migrations.AddField(
            "person", "leaving", models.BooleanField(default=False, db_default=False)
        ),
    ]
