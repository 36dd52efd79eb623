"""``telnyx-rooms rooms enforce``: carry out the policies of a file."""

from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from telnyx_rooms_async import InvalidArgumentError, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.bulk_job import CONCURRENCY, Concurrency, DryRun
from telnyx_rooms_async.cli.options import AsJson, BaseUrl
from telnyx_rooms_async.cli.runner import FAILED, exit_codes, run
from telnyx_rooms_async.policies import RoomPolicy, parse_policies


def enforce(
    *,
    policy: Annotated[Path, typer.Option(metavar="FILE", help="Policies in TOML: see above.")],
    dry_run: DryRun = False,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when everything is done that is due now.")
    ] = False,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time between two readings of all rooms.")
    ] = 60.0,
    concurrency: Concurrency = CONCURRENCY,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """End sessions and delete rooms that reach a limit.

    Every action is printed. An action that fails is tried again; with --once, the exit code is 1 instead.

    FILE has a table for each policy. The first one that is for a room applies.

    \b
    [[policies]]
    prefix = "clinic-"     # or names = ["Weekly", "Daily"]; default: all rooms
    max_duration = "2h"    # a session ends at this age,
    alone_timeout = "15m"  # when one person has been alone for so long,
    empty_timeout = "5m"   # or when there was no participant for so long
    warn_before = "5m"     # prints a warning before a session ends
    max_rooms_age = "30d"  # a room is deleted at this age, when it has no session
    [policies.allowed_hours]
    start = "08:00"
    end = "18:00"
    zone = "Europe/Berlin"
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    with exit_codes():
        policies = _read(policy)
    failures = 0

    async def use(client: RoomsClient) -> None:
        nonlocal failures
        actions = client.rooms.enforce(
            policies, dry_run=dry_run, once=once, interval=interval, concurrency=concurrency
        )
        async with aclosing(actions):
            async for action in actions:
                failures += action.status == "failed"
                if as_json:
                    output.write_json(action.to_dict())
                else:
                    output.write_line(str(action))

    run(use, base_url)
    if failures:
        raise typer.Exit(FAILED)


def _read(path: Path) -> tuple[RoomPolicy, ...]:
    try:
        return parse_policies(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidArgumentError((f"cannot read {path}: {error.strerror or error}",)) from None
    except UnicodeDecodeError:
        raise InvalidArgumentError((f"{path}: not UTF-8",)) from None
    except InvalidArgumentError as error:
        raise InvalidArgumentError(tuple(f"{path}: {problem}" for problem in error.problems)) from None
