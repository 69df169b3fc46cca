"""A browser remembers when a notification last reached it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0022_ended_by")]

    operations: ClassVar = [
        migrations.AddField(
            "address", "reached_at", models.BigIntegerField(default=0, db_default=0)
        ),
    ]
