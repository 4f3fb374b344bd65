"""A Django shop that gives rewards in the transaction of its own orders.

With Django 5.1 or newer, in this folder:

    export REWARDKIT_STORE=sqlite:///shop.db        # or postgresql://user@host/database
    python manage.py migrate                        # the shop's tables, and rewardkit's
    rewardkit load campaigns.toml                   # what can be earned
    python manage.py runserver

    curl -d number=1001 -d buyer=amanda -d amount=24.50 http://127.0.0.1:8000/orders

Read `shop/views.py` first, then `shop/rewards.py`.
"""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
