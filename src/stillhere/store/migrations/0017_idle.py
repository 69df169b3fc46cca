"""When somebody last used anything, and when they heard that they will be erased."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0016_proved")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="used_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="person",
            name="idle_told_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
