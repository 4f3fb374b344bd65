"""A FastAPI shop whose orders and rewards commit together.

The order, the event, the progress towards a reward and the reward itself are in one transaction of the shop's own
`AsyncSession`: killed at any moment, the shop has all of them or none. Notices leave after the commit, in the
background, and what a killed process left behind is told by the next one.

    pip install rewardkit fastapi uvicorn 'sqlalchemy[asyncio]' aiosqlite
    REWARDKIT_STORE=sqlite:///shop.db uvicorn --factory --app-dir examples fastapi_shop:create_app

With `asyncpg` and `rewardkit[postgres]`, `REWARDKIT_STORE` may name a database of PostgreSQL.
`python examples/fastapi_shop.py` serves a few orders from a folder that is thrown away.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import rewardkit as rk

CAMPAIGNS = Path(__file__).with_name("music_shop.toml")


class ShopTable(DeclarativeBase):
    """The shop's own tables."""


class Order(ShopTable):
    """What somebody bought."""

    __tablename__ = "orders"

    number: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str]


class Placed(BaseModel):
    """An order as it comes in."""

    number: str = Field(min_length=1, max_length=64)
    buyer: str = Field(min_length=1, max_length=64)
    amount: Decimal
    quantity: int = 1


def create_app(store: str | None = None) -> FastAPI:
    """The shop over the database that the rewards are in; default is the environment's `REWARDKIT_STORE`."""
    store = store or os.environ.get("REWARDKIT_STORE", "sqlite:///shop.db")
    kit = rk.AsyncRewardKit(store, notifiers=[tell])
    engine = open_engine(store)
    sessions = async_sessionmaker(engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await kit.migrate()
        await kit.load(CAMPAIGNS)
        async with engine.begin() as connection:
            await connection.run_sync(ShopTable.metadata.create_all)
        delivering = asyncio.create_task(kit.deliver_forever(poll_seconds=0.2))
        yield
        delivering.cancel()
        with suppress(asyncio.CancelledError):
            await delivering
        await kit.deliver()  # what was committed while the worker ended
        await kit.close()
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders", status_code=201)
    async def place(placed: Placed, response: Response) -> dict[str, list[str]]:
        """Take an order; one that is there already is not taken again, so whoever is not answered repeats it."""
        async with sessions.begin() as session:
            if await session.get(Order, placed.number):
                response.status_code = 200
                return {"earned": []}
            session.add(Order(number=placed.number, buyer=placed.buyer))
            await session.flush()
            recorded = await kit.on(session).emit(
                "Purchase Completed",
                user=placed.buyer,
                id=placed.number,
                properties={"amount": placed.amount, "quantity": placed.quantity},
            )
        return {"earned": [earned.reward for earned in recorded.earned]}

    @app.get("/buyers/{buyer}")
    async def show(buyer: str) -> dict[str, list[str]]:
        """A buyer's orders and rewards."""
        async with sessions() as session:
            orders = await session.scalars(select(Order.number).where(Order.buyer == buyer).order_by(Order.number))
            grants = await kit.on(session).ask(rk.Grants(user=buyer))
            return {"orders": list(orders), "rewards": [grant.reward.name for grant in grants.items]}

    return app


def open_engine(store: str) -> AsyncEngine:
    """The same database for the shop's own tables."""
    dialect, _, place = store.partition(":")
    if dialect != "sqlite":
        return create_async_engine(f"{dialect}+asyncpg:{place}")
    engine = create_async_engine(f"sqlite+aiosqlite:{place}")

    @event.listens_for(engine.sync_engine, "connect")
    def leave_beginning_to_sqlalchemy(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def tell(notice: rk.Notice) -> None:
    """Any callable that takes a notice can be a notifier."""
    if notice.kind == "grant.ready":
        print(f"  told: {notice.body.decode()}", flush=True)


async def serve_a_few() -> None:
    """Three orders of one customer, one of them sent twice."""
    with TemporaryDirectory() as folder:
        app = create_app(f"sqlite:///{folder}/shop.db")
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        for number in ("order-1", "order-2", "order-2"):
            status, answer = await asyncio.to_thread(send, port, number, "amanda")
            print(f"{number}: {status}, earned {answer['earned']}")
        server.should_exit = True
        await serving


def send(port: int, number: str, buyer: str) -> tuple[int, Any]:
    """What a customer's browser would do."""
    body = json.dumps({"number": number, "buyer": buyer, "amount": "24.50", "quantity": 2}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/orders", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        return answer.status, json.load(answer)


if __name__ == "__main__":
    asyncio.run(serve_a_few())
