from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0007_coming"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="vain_at",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="stuck_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="installation",
            name="stuck_told_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
