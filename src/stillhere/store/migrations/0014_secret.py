"""Who stands for somebody in their call for help in secret."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0013_force")]

    operations: ClassVar = [
        migrations.AddField(
            "person", "secret", models.BooleanField(default=False, db_default=False)
        ),
    ]
