"""The shop's own table."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """As `manage.py makemigrations` writes it."""

    initial = True
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("number", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("buyer", models.CharField(max_length=100)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
            ],
        )
    ]
