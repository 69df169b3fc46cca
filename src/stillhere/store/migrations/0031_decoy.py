"""What is set on pages that the word under force opened stands beside what Sam set."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0030_failed_messages")]

    operations: ClassVar = [
        migrations.AddField(
            "person", "decoy_pin", models.CharField(max_length=128, default="", db_default="")
        ),
        migrations.AddField(
            "person", "pin_aside", models.CharField(max_length=128, default="", db_default="")
        ),
        migrations.AddField(
            "person", "decoy_word", models.BinaryField(max_length=32, default=b"", db_default=b"")
        ),
        migrations.AddField(
            "contact", "hears_decoy", models.BooleanField(default=False, db_default=False)
        ),
    ]
