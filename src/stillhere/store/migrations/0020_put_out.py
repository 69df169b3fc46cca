"""A browser that a younger one asks to put out, and since when somebody has had a PIN."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0019_unclear")]

    operations: ClassVar = [
        migrations.AddField("browser", "out_at", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddField("person", "pin_at", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddIndex(
            "browser",
            models.Index(fields=["out_at"], name="browser_out", condition=models.Q(out_at__gt=0)),
        ),
    ]
