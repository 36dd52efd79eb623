"""``telnyx-rooms demo``: the main features over real HTTP, against an emulator on this machine."""

import ast
import asyncio
from collections.abc import Iterator, Sequence
from itertools import groupby
from time import perf_counter
from types import FunctionType
from typing import Any, Final

from rich.padding import Padding
from rich.text import Text

from telnyx_rooms_async import InvalidArgumentError, NotFoundError, RoomsClient, UnprocessableEntityError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import command_group
from telnyx_rooms_async.emulator import Emulator, RecordedRequest

app: Final = command_group()

NAMES: Final = ("Standup", "Retro", "Planning", "Interview", "Lecture", "Surgery", "Piano lesson")
_STEPS: Final = """\
Create rooms.
rooms = [await client.rooms.create(unique_name=name) for name in NAMES]
standup = rooms[0]
print(len(rooms), "rooms, the first one is", standup.id)

Join a room. The emulator simulates it; in production a browser joins with a token.
telnyx.join(standup.id, context="Alice")
bob = telnyx.join(standup.id, context="Bob")
telnyx.leave(bob.id)
standup = await client.rooms.retrieve(standup.id)
print(standup.unique_name, "has a session:", standup.active_session_id)

List rooms, three per page.
async for room in client.rooms.list(page_size=3):
    print(room.id, room.unique_name)

List the participants of a room.
sessions = client.rooms.sessions(standup.id, include_participants=True)
async for session in sessions:
    for person in session.participants or ():
        print(person.context, "has left" if person.left_at else "is in")

Update one field. Only that field is sent.
updated = await client.rooms.update(standup.id, max_participants=25)
print(standup.max_participants, "->", updated.max_participants)

Handle an error of the API.
try:
    await client.rooms.create(unique_name=NAMES[0])
except UnprocessableEntityError as error:
    print(type(error).__name__, "-", error)

Handle an invalid argument. Nothing is sent.
try:
    await client.rooms.create(max_participants=99)
except InvalidArgumentError as error:
    print(type(error).__name__, "-", error)

Delete a room. It cannot be retrieved any more.
await client.rooms.delete(standup.id)
try:
    await client.rooms.retrieve(standup.id)
except NotFoundError as error:
    print(type(error).__name__, "-", error)
"""
"""Steps, separated by empty lines: a title, and the code that is shown and run."""
_ERRORS: Final = (InvalidArgumentError, NotFoundError, UnprocessableEntityError)


@app.command()
def demo() -> None:
    """Run the main features against an emulator. No key and no network are needed."""
    asyncio.run(_run())


async def _run() -> None:
    started = perf_counter()
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        output.write(Text(f"A Telnyx emulator listens at {telnyx.url}."))
        output.write(Text("The code below runs, and its HTTP is real."))
        names: dict[str, Any] = {"client": client, "telnyx": telnyx, "NAMES": NAMES, "print": _print}
        names |= {error.__name__: error for error in _ERRORS}
        for number, step in enumerate(_STEPS.split("\n\n"), 1):
            title, *lines = step.splitlines()
            output.write(Text(f"\n{number}. {title}", style="bold"))
            for line in lines:
                is_continued = line.startswith((" ", "except"))
                output.write(Text(f"   {'...' if is_continued else '>>>'} {line}", style="cyan"))
            before = len(telnyx.requests)
            code = compile("\n".join(lines), "demo", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            await FunctionType(code, names)()
            requests = telnyx.requests[before:]
            output.write(Text(f"   {output.counted(len(requests), 'request', zero='no')}", style="dim"))
            output.write(Padding.indent(Text("\n".join(_request_lines(requests)), style="dim"), 5))
        count, rooms = output.counted(len(telnyx.requests), "request"), output.counted(len(telnyx.rooms))
        output.write(Text(f"\n{count} in {perf_counter() - started:.2f} s; {rooms} left.", style="bold"))
        output.write(Text("To start an emulator for your own code: telnyx-rooms emulate"))


def _print(*values: object) -> None:
    output.write(Padding.indent(Text(" ".join(map(str, values))), 3))


def _request_lines(requests: Sequence[RecordedRequest]) -> Iterator[str]:
    """Yield one line for each group of equal requests."""
    for (method, path, query), group in groupby(
        requests, lambda request: (request.method, request.path, request.query)
    ):
        bodies = [request.body.decode() for request in group]
        parameters = (f"{name}={value}" for name, value in query)
        times = f"({len(bodies)} times)" if len(bodies) > 1 else bodies[0]
        yield " ".join(filter(None, [method, path, *parameters, times]))
