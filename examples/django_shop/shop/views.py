"""One view: an order comes in, and with it whatever it earns."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Order
from shop.rewards import kit


@csrf_exempt  # its callers are other programs
@require_POST
def take_order(request: HttpRequest) -> JsonResponse:
    """Record an order and tell rewardkit of it in one transaction: both stay, or neither does.

    A caller that has heard nothing repeats its request: the order's number makes that safe.
    """
    number, buyer, amount = (request.POST[name] for name in ("number", "buyer", "amount"))
    with transaction.atomic():
        order, new = Order.objects.get_or_create(number=number, defaults={"buyer": buyer, "amount": Decimal(amount)})
        if new:
            recorded = kit.on(connection).emit_many(
                [
                    # Each customer has one event of this id, so from her second order on it changes nothing.
                    {"name": "Customer Created", "user": buyer, "id": "created"},
                    {
                        "name": "Purchase Completed",
                        "user": buyer,
                        "id": f"order {number}",
                        "properties": {"amount": order.amount},
                    },
                ]
            )
            # The order is taken by then, whatever becomes of the telling: what was not told is told later.
            transaction.on_commit(kit.deliver, robust=True)
    earned = [one.reward for one in recorded.earned] if new else []
    return JsonResponse({"number": order.number, "earned": earned}, status=201 if new else 200)
