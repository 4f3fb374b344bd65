"""What the shop itself keeps."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    """An order, paid for."""

    number = models.CharField(max_length=40, primary_key=True)
    buyer = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.number} of {self.buyer}"
