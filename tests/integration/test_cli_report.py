"""`rewardkit report`, as a shell and a browser see it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import main
from rewardkit.testing.clock import FakeClock

CANARY = '<img src=//evil.example onerror="x">\'&</title></svg><script>'
"""A name that would break out of an element or an attribute; a property that would command a terminal besides."""

Report = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """With a campaign of two variants and a holdout, and a referral program with its campaign; all names hostile."""
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    clock = FakeClock()
    with rk.RewardKit(store, clock=clock) as kit:
        kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": CANARY + "\x1b[31m"}))
        kit.run(rk.DefineOffer("one", "five", "A"))
        variants = (rk.Variant(CANARY, "one"), rk.Variant("plain", "one"))
        kit.run(rk.DefineCampaign(CANARY, variants=variants, entry="E", holdout="30%", cap=100, budget=1_000))
        kit.run(rk.LaunchCampaign(CANARY))
        for number in range(40):
            kit.emit("E", user=f"u{number}")
        clock.set(clock() + 90_000_000)
        for number in range(0, 40, 2):
            kit.emit("A", user=f"u{number}")
        kit.run(rk.DefineReferralProgram(CANARY, "five", "five", "B"))
        kit.run(rk.DefineCampaign("always", program=CANARY))
        kit.run(rk.LaunchCampaign("always"))
        kit.run(rk.MakeReferral(CANARY, CANARY, "rob"))
        kit.run(rk.MakeReferral(CANARY, "rob", CANARY + "2"))
        kit.emit("B", user="rob")
    return store


def hold_half_out(store: str) -> None:
    """A referral campaign that half of the senders are held out of."""
    with rk.RewardKit(store, clock=FakeClock("2026-02-01T00:00:00Z")) as kit:
        kit.run(rk.DefineCampaign("half", program=CANARY, holdout="50%"))
        kit.run(rk.LaunchCampaign("half"))
        for number in range(40):
            code = kit.run(rk.GiveReferralCode(f"s{number}")).code
            kit.run(rk.EnterReferralCode(code, f"r{number}"))
        kit.run(rk.EnterReferralCode(code, "r40"))
        kit.emit("B", user="r1")


@pytest.fixture
def report(store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Report:
    def run(*words: str, columns: int = 80) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        code = main(["report", *words, "--store", store])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_shows_figures_with_bars(report: Report) -> None:
    code, out, err = report(CANARY)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.fullmatch(r"  offered +\d+", lines[5]), lines[5]
    assert any(re.fullmatch(r"    earned +\d+ +\[#+-+\]", line) for line in lines)
    assert any(line.startswith("  held out") for line in lines)
    assert any(re.search(r"points, [+-][\d.]+ to [+-][\d.]+ at 95%", line) for line in lines)
    assert "half within 1m30s" in out
    assert "variant plain" in out
    assert "note: " in out


def test_a_report_of_a_program_says_how_to_ask_for_it(report: Report, store: str) -> None:
    with rk.RewardKit(store) as kit:
        kit.run(rk.DefineReferralProgram("friends", "five", "five", "B"))
    code, out, err = report("friends")
    assert (code, out) == (2, "")
    assert err == "error: `friends` is a referral program and no campaign: add `--program`\n"
    code, out, _ = report("friends", "--program")
    assert (code, out.splitlines()[0]) == (0, "referral program friends")
    assert report("always")[1].splitlines()[0] == "referral campaign always, live"
    code, out, err = report("always", "--program")
    assert (code, out) == (2, "")
    assert err == "error: `always` is a campaign and no referral program: leave `--program` out\n"


def test_a_report_of_a_referral_campaign_shows_senders_held_out_beside_the_others(
    report: Report, store: str, tmp_path: Path
) -> None:
    hold_half_out(store)
    code, out, err = report("half", columns=120)
    assert (code, err) == (0, "")
    section = out[out.index("beside senders held out") :].splitlines()[1:7]
    assert [re.sub(r"[-+]?\d+(\.\d+)?", "N", line.partition("[")[0]).split() for line in section] == [
        "in the campaign N% (N of N referrals)".split(),
        "held out N% (N of N referrals)".split(),
        "effect N points, N to N at N%".split(),
        "senders N, N referrals each".split(),
        "held out N, N referrals each".split(),
        "effect on each N referrals, N to N at N%".split(),
    ]
    assert "are undecided: conversions are those up to now" in " ".join(out.split())
    holdout = json.loads(report("half", "--json")[1])["holdout"]
    assert {"senders", "opened", "completed", "low", "high", "conversion", "referrals_per_sender"} == set(
        holdout["held_out"]
    )
    assert holdout["held_out"]["opened"] + holdout["offering"]["opened"] == 41
    assert {"estimate", "low", "high", "confidence"} == set(holdout["effect"])
    file = tmp_path / "half.html"
    report("half", "--html", str(file))
    page = Page(file.read_text(encoding="utf-8"))
    assert "Conversion of referrals, with 95 % intervals" in page.text
    assert "are undecided" in page.text


def test_a_report_of_a_referral_campaign_shows_each_of_its_variants(report: Report, store: str, tmp_path: Path) -> None:
    with rk.RewardKit(store, clock=FakeClock("2026-02-01T00:00:00Z")) as kit:
        named = [rk.Variant(name, program=CANARY) for name in ("small", "<b>large</b>")]
        kit.run(rk.DefineCampaign("both", variants=tuple(named)))
        kit.run(rk.LaunchCampaign("both"))
        for number in range(20):
            code = kit.run(rk.GiveReferralCode(f"s{number}")).code
            kit.run(rk.EnterReferralCode(code, f"r{number}"))
        kit.emit("B", user="r1")
        expected = kit.ask(rk.ReferralReport(campaign="both")).variants
    status, out, err = report("both", columns=120)
    assert (status, err) == (0, "")
    for one in expected:
        section = out[out.index(f"variant {one.variant}") :].partition("\n\n")[0]
        assert re.search(rf"opened +{one.opened}\n", section)
        assert re.search(rf"conversion +{one.conversion:.1%} \({one.completed} of {one.opened} referrals\)", section)
        assert re.search(r"may be +\d+\.\d% to \d+\.\d% at 95%", section)
        assert re.search(rf"grants of senders +{one.completed}\n", section)
    told = json.loads(report("both", "--json")[1])["variants"]
    assert [(one.variant, one.opened) for one in expected] == [(one["variant"], one["opened"]) for one in told]
    assert all("conversion" in one and "low" in one["senders"] for one in told)
    file = tmp_path / "both.html"
    report("both", "--html", str(file))
    page = Page(file.read_text(encoding="utf-8"))
    assert "Conversion of referrals by variant, with 95 % intervals" in page.text
    assert "variant <b>large</b>" in page.text


def test_what_took_less_than_a_second_is_within_one(store: str, report: Report) -> None:
    with rk.RewardKit(store, clock=FakeClock()) as kit:
        kit.run(rk.DefineCampaign("quick", "one"))
        kit.run(rk.LaunchCampaign("quick"))
        kit.run(rk.MakeOffer("quick", "zoe"))
        kit.emit("A", user="zoe")
    assert "half within 1s, nine in ten within 1s" in report("quick")[1]


@pytest.mark.parametrize("columns", [20, 33, 60, 200])
def test_no_line_is_wider_than_the_terminal(report: Report, store: str, columns: int) -> None:
    hold_half_out(store)
    for words in ((CANARY,), (CANARY, "--program"), ("always",), ("half",)):
        _, out, _ = report(*words, columns=columns)
        assert [line for line in out.splitlines() if len(line) > columns] == []
    assert ("[#" in report(CANARY, columns=columns)[1]) == (columns > 33)


def test_nothing_is_in_colour_and_nothing_commands_the_terminal(report: Report) -> None:
    for words in ((CANARY,), (CANARY, "--program")):
        assert "\x1b" not in report(*words)[1]


def test_json_has_all_figures_and_says_of_nothing_that_it_is_null(report: Report, store: str) -> None:
    code, out, _ = report(CANARY, "--json")
    found = json.loads(out)
    with rk.RewardKit(store) as kit:
        figures = kit.ask(rk.CampaignReport(CANARY))
    assert (code, found["campaign"], found["total"]["earned"]) == (0, CANARY, figures.total.earned)
    assert found["total"]["conversion"] == figures.total.conversion
    assert found["total"]["holdout"]["conversion"] == figures.total.holdout.conversion
    assert found["total"]["time_to_earn"]["median"] == 90.0
    assert found["total"]["grants"]["costs"][0]["total"] == str(figures.total.grants.costs[0].total)
    assert [one["variant"] for one in found["variants"]] == [CANARY, "plain"]
    referred = json.loads(report("always", "--json")[1])
    assert (referred["opened"], referred["conversion"], referred["sender_side"]["ready"]) == (0, None, 0)
    referred = json.loads(report(CANARY, "--program", "--json")[1])
    assert referred["longest"] == [CANARY, "rob", CANARY + "2"]
    assert referred["conversion"] == 0.5


@pytest.mark.parametrize("words", [(CANARY,), (CANARY, "--program"), ("always",)])
def test_a_page_needs_nothing_else_and_every_name_in_it_is_text(
    report: Report, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "report.html"
    code, out, err = report(*words, "--html", str(file))
    assert (code, out, err) == (0, "", f"wrote {file}\n")
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    known = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "td"}
    drawn = {"svg", "text", "rect", "path", "circle"}
    assert set(page.tags) <= known | drawn
    assert "svg" in page.tags
    names = {name for name, _ in page.attributes}
    assert names.isdisjoint({"src", "href", "srcset", "data", "action", "style", "onerror", "onload", "xlink:href"})
    assert "url(" not in text
    assert "@import" not in text
    assert re.findall(r"https?:", text) == []
    assert ("http-equiv", "Content-Security-Policy") in page.attributes
    assert any("default-src 'none'" in value for _, value in page.attributes)
    assert "\x1b" not in text
    if words[0] == CANARY:
        assert "<img src=//evil.example" in page.text


def test_a_page_that_cannot_be_written_and_a_campaign_that_is_not_there_are_said(
    report: Report, tmp_path: Path
) -> None:
    code, out, err = report("always", "--html", str(tmp_path / "none" / "report.html"))
    assert (code, out) == (2, "")
    assert "cannot be written: No such file or directory" in err
    code, out, err = report("spring")
    assert (code, out) == (1, "")
    assert "campaign `spring` is not defined" in err
    code, _, err = report(CANARY, "--program", "--top", "101")
    assert code == 2
    assert "101" in err
