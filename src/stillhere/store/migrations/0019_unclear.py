"""When something that could not be read last made a phone ring. ``unclear`` stays for the release
before this one."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0018_person_secret")]

    operations: ClassVar = [
        migrations.AddField("watchrow", "unclear_at", models.BigIntegerField(null=True)),
    ]
