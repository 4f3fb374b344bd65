"""Django's settings; the rewards are in the database of the orders, so one variable names it for both."""

from __future__ import annotations

import os

REWARDKIT_STORE = os.environ["REWARDKIT_STORE"]

if REWARDKIT_STORE.startswith("sqlite:///"):
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": REWARDKIT_STORE.removeprefix("sqlite:///"),
            # A transaction that reads before it writes would be refused where another wrote in between.
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    }
else:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(REWARDKIT_STORE)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **{key.upper(): parts.pop(key) for key in ("user", "password", "host", "port") if key in parts},
            "NAME": parts.pop("dbname"),
            "OPTIONS": parts,
        }
    }

INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SECRET_KEY = os.environ.get("SECRET_KEY", "of an example that signs nothing")
