"""How many messages failed lately is counted without reading all of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0029_spoken_note")]

    operations: ClassVar = [
        migrations.AddIndex(
            "Message",
            models.Index(
                condition=models.Q(status="failed"), fields=["done_at"], name="message_failed"
            ),
        ),
    ]
