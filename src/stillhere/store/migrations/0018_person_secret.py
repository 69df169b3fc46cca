"""Who stands for somebody in a call for help in secret is found without looking at everybody."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0017_idle")]

    operations: ClassVar = [
        migrations.AddIndex(
            "person",
            models.Index(
                fields=["force_word"], name="person_secret", condition=models.Q(secret=True)
            ),
        ),
    ]
