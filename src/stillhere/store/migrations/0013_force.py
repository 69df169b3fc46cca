"""A word under force: the word, and who hears of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0012_pin_tries")]

    operations: ClassVar = [
        migrations.AddField(
            "person", "force_word", models.BinaryField(max_length=32, default=b"", db_default=b"")
        ),
        migrations.AddField(
            "contact", "hears_force", models.BooleanField(default=False, db_default=False)
        ),
    ]
