"""`rewardkit endpoints`: what is registered, and a test to one endpoint that another process delivers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import main
from rewardkit.testing.receiver import Receiver, answer
from rewardkit.webhooks import generate_secret, verify


def test_registered_endpoints_are_listed_and_one_alone_is_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"sqlite:///{tmp_path / 'shop.db'}"

    def endpoints(*words: str) -> tuple[int, str, str]:
        code = main(["endpoints", "--store", text, "--tenant", "acme", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    with Receiver() as receiver:
        webhooks = rk.RegisteredWebhooks(generate_secret(), guard=receiver.guard)
        with rk.RewardKit(text, tenant="acme", webhooks=webhooks) as kit:
            kit.migrate()
            assert (0, "", "0 registered, 0 gone\n") == endpoints()
            kit.run(rk.RegisterEndpoint("first", receiver.url, kinds=["grant.ready"]))
            kit.run(rk.RegisterEndpoint("second", receiver.url))
            code, out, err = endpoints()
            assert (0, "2 registered, 0 gone\n") == (code, err)
            heading, *rows = [line.split() for line in out.splitlines()]
            assert ["name", "status", "since", "kinds", "host", "reason"] == heading
            at = f"localhost:{receiver.port}"
            assert [["first", "enabled", "grant.ready", at, "-"], ["second", "enabled", "all", at, "-"]] == [
                row[:2] + row[3:] for row in rows
            ]
            assert "canary" not in out
            code, out, err = endpoints("--test", "second")
            assert (0, "written to the outbox for `second`\n") == (code, err)
            assert kit.deliver() == rk.Delivery(delivered=1)
            (request,) = receiver.received
            told = verify(request.body, request.headers, kit.endpoint_secret("second"))
            assert (out.strip(), "test", "second") == (told.id, *_said(told.body))
            assert (1, "") == endpoints("--test", "nobody")[:2]
            receiver.behaviour = answer(410)
            assert 0 == endpoints("--test", "first", "--json")[0]
            kit.deliver()
            code, out, err = endpoints("--json")
            assert (1, "2 registered, 1 gone\n") == (code, err)
            assert ["gone", "enabled"] == [json.loads(line)["status"] for line in out.splitlines()]
            code, out, err = endpoints("--test", "first")
            assert (1, "") == (code, out)
            assert "endpoint `first` is gone" in err


def _said(body: bytes) -> tuple[str, str]:
    said = json.loads(body)
    return said["kind"], said["subject"]
