"""`rewardkit codes`: fill pools, hand codes out, take them in, and say what has become of them."""

from __future__ import annotations

import argparse
from hashlib import sha256
from pathlib import Path

import attrs

from rewardkit.cli.code_export import export
from rewardkit.cli.code_images import add_images, require_images, write_images
from rewardkit.cli.options import Commands, add_command, add_store, open_kit, positive
from rewardkit.cli.printing import FINDINGS, FINE, note, print_columns, print_json
from rewardkit.cli.progress import progress
from rewardkit.core.pools.alphabet import CROCKFORD
from rewardkit.core.pools.commands import IssueCode, RedeemCode
from rewardkit.core.pools.import_report import ImportReport
from rewardkit.core.pools.queries import CodeOdds, CodeStatus, PoolStatus
from rewardkit.errors import ValidationError

POOL = "the pool's name, or its id"
KEY = "idempotency key: the same command with it goes on where it was interrupted"


def add_to(commands: Commands) -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser("codes", help="incentive codes: fill pools, issue, redeem, export", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_generate(actions)
    _add_import(actions)
    _add_export(actions)
    _add_issue(actions)
    _add_redeem(actions)
    _add_status(actions)


def _add_generate(actions: Commands) -> None:
    parser = add_command(
        actions, "generate", _generate, "add random codes to a pool", "What could be guessed is refused."
    )
    parser.add_argument("pool", type=_pool, help=POOL)
    parser.add_argument("count", type=positive, help="how many")
    parser.add_argument("--length", type=positive, default=12, help="of the characters that are drawn; default is 12")
    parser.add_argument("--code-prefix", default="", help="in front of them")
    parser.add_argument("--pattern", help="such as SAVE-####-####, in which each # is drawn; in place of the two above")
    parser.add_argument(
        "--alphabet",
        default=CROCKFORD.characters,
        help="what is drawn from, or `wordless`, which spells no words; default is Crockford's",
    )
    parser.add_argument("--check", action="store_true", help="add a check character, which tells slips from guesses")
    parser.add_argument("--allow-guessable", action="store_true", help="add them even where they could be guessed")
    parser.add_argument("--key", help=KEY)
    add_store(parser)


def _add_import(actions: Commands) -> None:
    parser = add_command(
        actions,
        "import",
        _import,
        "add the codes of a file to a pool, one a line, in UTF-8",
        "Rows that cannot be added are printed with the reason, and are a finding. Interrupted, it goes on.",
    )
    parser.add_argument("pool", type=_pool, help=POOL)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--key", help=f"{KEY}; default is made of the pool and what the file holds")
    add_store(parser)


def _add_export(actions: Commands) -> None:
    parser = add_command(
        actions,
        "export",
        _export,
        "write the codes of a pool as CSV, in no particular order",
        "Codes that a spreadsheet would compute stand behind an apostrophe; with --json they are as they are.",
    )
    parser.add_argument("pool", type=_pool, help=POOL)
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to; default is stdout")
    add_store(parser)


def _add_issue(actions: Commands) -> None:
    parser = add_command(actions, "issue", _issue, "issue a code of a pool")
    parser.add_argument("pool", type=_pool, help=POOL)
    parser.add_argument("--issuee", metavar="ID", help="what you call who gets it; default is somebody anonymous")
    parser.add_argument("--code", help="this one and no other")
    parser.add_argument("--application", help="that asks for it, for the record")
    parser.add_argument("--reference", help="what it is for there, such as a campaign's id")
    parser.add_argument("--key", help="idempotency key: the same command with it answers the same issuance")
    add_images(parser)
    add_store(parser)


def _add_redeem(actions: Commands) -> None:
    parser = add_command(actions, "redeem", _redeem, "redeem a code, of whatever pool")
    parser.add_argument("code", help="as it was typed")
    parser.add_argument("--issuee", metavar="ID", help="what you call who redeems it")
    parser.add_argument("--application", help="that redeems it, for the record")
    parser.add_argument("--reference", help="what it is for there, such as an order's id")
    parser.add_argument("--key", help="idempotency key: the same command with it answers the same redemption")
    add_store(parser)


def _add_status(actions: Commands) -> None:
    parser = add_command(actions, "status", _status, "say what has become of a code, or what a pool holds")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", nargs="?", help="as it was typed")
    which.add_argument("--pool", type=_pool, help=POOL)
    add_images(parser)
    add_store(parser)


def _pool(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 19 else text


def _generate(arguments: argparse.Namespace) -> int:
    given = {name: getattr(arguments, name) for name in ("length", "pattern", "alphabet", "check")}
    given["prefix"] = arguments.code_prefix
    with open_kit(arguments) as kit:
        space = kit.ask(CodeOdds(arguments.pool, arguments.count, **given))
        note(f"codes such as {space.example}, {space.bits} bits: one in {space.guesses:,.0f} guesses would hit")
        with progress("codes", arguments.count) as tell:
            report = kit.generate_codes(
                arguments.pool,
                arguments.count,
                key=arguments.key,
                progress=tell,
                allow_guessable=arguments.allow_guessable,
                **given,
            )
    return _reported(report, as_json=arguments.json)


def _import(arguments: argparse.Namespace) -> int:
    key = arguments.key or _key_of(arguments.pool, arguments.file)
    with open_kit(arguments) as kit, progress("rows") as tell:
        report = kit.import_codes(arguments.pool, arguments.file, key=key, progress=tell)
    return _reported(report, as_json=arguments.json)


def _key_of(pool: int | str, file: Path) -> str:
    digest = sha256(str(pool).encode() + b"\0")
    try:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ValidationError(f"`{file}` cannot be read: {str(error.strerror or error).lower()}") from None
    return f"file:{digest.hexdigest()}"


def _reported(report: ImportReport, *, as_json: bool) -> int:
    if as_json:
        print_json(attrs.asdict(report))
    elif report.rows:
        print_columns(("row", "reason", "what"), [(str(row.row), row.reason, row.sentence) for row in report.rows])
    note(f"{report.added:,} codes added, {report.refused:,} refused, {report.duplicates:,} duplicates")
    return FINDINGS if report.refused else FINE


def _export(arguments: argparse.Namespace) -> int:
    with open_kit(arguments) as kit:
        written = export(kit, arguments.pool, arguments.output, as_json=arguments.json)
    note(f"{written:,} codes written")
    return FINE


def _issue(arguments: argparse.Namespace) -> int:
    command = IssueCode(
        arguments.pool,
        arguments.issuee,
        code=arguments.code,
        referring_application=arguments.application,
        referring_application_ref_id=arguments.reference,
    )
    require_images(arguments)
    with open_kit(arguments) as kit:
        issuance = kit.run(command, key=arguments.key)
    write_images(arguments, issuance.code)
    if arguments.json:
        print_json(issuance.to_json())
    else:
        print(issuance.code)
    return FINE


def _redeem(arguments: argparse.Namespace) -> int:
    command = RedeemCode(
        arguments.code,
        external_issuee_id=arguments.issuee,
        referring_application=arguments.application,
        referring_application_ref_id=arguments.reference,
    )
    with open_kit(arguments) as kit:
        redemption = kit.run(command, key=arguments.key)
    if arguments.json:
        print_json(redemption.to_json())
    else:
        print(f"redeemed, redemption {redemption.id}")
    return FINE


def _status(arguments: argparse.Namespace) -> int:
    with open_kit(arguments) as kit:
        if arguments.pool is not None:
            pool = kit.ask(PoolStatus(arguments.pool))
            counts = (pool.name, *map(str, (pool.total, pool.issued, pool.remaining, pool.inactive, pool.void)))
            if arguments.json:
                print_json(pool.to_json())
            else:
                print_columns(("pool", "total", "issued", "remaining", "inactive", "void"), [counts])
            return FINE
        code = kit.ask(CodeStatus(arguments.code))
    write_images(arguments, code.code)
    if arguments.json:
        print_json(code.to_json() | {"status": code.status})
    else:
        active = "yes" if code.active else "no"
        row = (code.code, code.status, active, str(code.issuances.total), str(code.redemptions.total))
        print_columns(("code", "status", "active", "issuances", "redemptions"), [row])
    return FINE
