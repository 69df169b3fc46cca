# Every column has a default in the database, because the release before this one goes on writing
# rows that do not name it.

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def instant() -> Any:
    return models.BigIntegerField(db_default=0, default=0)


class Migration(migrations.Migration):
    dependencies = [("store", "0004_carriers")]

    operations = [
        migrations.AddField(
            "person", "caller", models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField("contact", "drilled_at", instant()),
        migrations.AddField("contact", "drill_answered_at", instant()),
        migrations.AddField(
            "contact", "drill_said", models.CharField(db_default="", default="", max_length=4)
        ),
    ]
