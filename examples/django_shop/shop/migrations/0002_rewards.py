"""rewardkit's tables; a newer version of rewardkit may want another migration like this one."""

from __future__ import annotations

from django.db import migrations

from shop.rewards import kit


class Migration(migrations.Migration):
    """Outside a transaction of Django's: the kit uses a connection of its own, which would wait for it."""

    atomic = False
    dependencies = [("shop", "0001_orders")]
    operations = [migrations.RunPython(lambda *_: kit.migrate(), migrations.RunPython.noop)]
