from django.db import migrations, models


def added(model: str, name: str) -> migrations.AddField:
    return migrations.AddField(
        model_name=model, name=name, field=models.BigIntegerField(db_default=0, default=0)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_reached"),
    ]

    operations = [
        added("installation", "clock_held_ms"),
        added("installation", "clock_back_ms"),
        added("installation", "clock_reckoned_ms"),
        added("installation", "clock_proved_at"),
        added("installation", "beat_boot_ms"),
        migrations.AddField(
            model_name="installation",
            name="beat_boot",
            field=models.CharField(db_default="", default="", max_length=40),
        ),
        added("watchrow", "clock_back_ms"),
    ]
