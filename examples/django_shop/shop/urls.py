"""Where the view is."""

from __future__ import annotations

from django.urls import path

from shop.views import take_order

urlpatterns = [path("orders", take_order)]
