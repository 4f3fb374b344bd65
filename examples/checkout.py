"""A shop that gives rewards in the transaction of its own orders.

The order, the event, the progress towards a reward and the reward itself commit or vanish together.
Run it: `python examples/checkout.py`. It works on files in a folder that is thrown away.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import rewardkit as rk

CAMPAIGNS = Path(__file__).with_name("music_shop.toml")


class PaymentDeclined(Exception):
    """The customer's bank said no."""


def check_out(shop: sqlite3.Connection, kit: rk.RewardKit, number: str, buyer: str, *, paid: bool = True) -> None:
    """Record an order and tell rewardkit of it, in one transaction of the shop."""
    with shop:  # commits at the end, rolls back on an error
        shop.execute("INSERT INTO orders VALUES (?, ?)", (number, buyer))
        kit.on(shop).emit(
            "Purchase Completed", user=buyer, id=number, properties={"amount": Decimal("24.50"), "quantity": 2}
        )
        if not paid:
            raise PaymentDeclined
    kit.deliver()  # after the commit, never inside it


def tell(notice: rk.Notice) -> None:
    """Any callable that takes a notice can be a notifier."""
    if notice.kind == "grant.ready":
        print(f"  told: {notice.body.decode()}")


def main() -> None:
    """Three orders of one customer, one of them declined."""
    with TemporaryDirectory() as folder:
        database = Path(folder, "shop.db")
        shop = sqlite3.connect(database)
        shop.execute("CREATE TABLE orders (number TEXT PRIMARY KEY, buyer TEXT NOT NULL)")
        with rk.RewardKit(f"sqlite:///{database}", notifiers=[tell]) as kit:
            kit.load(CAMPAIGNS)
            print("order 1")
            check_out(shop, kit, "order-1", "amanda")
            print("order 2, declined: neither the order nor the event is there afterwards")
            try:
                check_out(shop, kit, "order-2", "amanda", paid=False)
            except PaymentDeclined:
                print("  rolled back")
            print("order 3: a second purchase within 30 days")
            check_out(shop, kit, "order-3", "amanda")
            for grant in kit.claim():
                why = "; ".join(kit.explain(grant.id).sentences)
                print(f"  pay {grant.user} {dict(grant.reward.properties)} because {why}")
                kit.run(rk.FulfilGrant(grant.id))
        shop.close()


if __name__ == "__main__":
    main()
