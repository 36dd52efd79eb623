"""``telnyx-rooms demo``: the main features over real HTTP, against an emulator on this machine.

Each step is a function: its docstring is the title, its body is the code that is shown. The output comes
from the responses, and the requests below it are those that the emulator received.
"""

import ast
import asyncio
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from time import perf_counter
from typing import Concatenate, Final, ParamSpec, TypeAlias, TypeVar, cast

from rich.text import Text

from telnyx_rooms_async import (
    InvalidArgumentError,
    NotFoundError,
    Room,
    RoomsClient,
    UnprocessableEntityError,
)
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import exit_codes
from telnyx_rooms_async.emulator import Emulator, RecordedRequest

P = ParamSpec("P")
T = TypeVar("T")

NAMES: Final = ("Standup", "Retro", "Planning", "Interview", "Lecture", "Surgery", "Piano lesson")


def demo() -> None:
    """Run the main features against an emulator. No key and no network are needed."""
    with exit_codes():
        asyncio.run(_run())


async def _run() -> None:
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        demo = _Demo(telnyx)
        room = await demo.show(create_rooms, client)
        await demo.show(join, client, telnyx, room)
        await demo.show(list_rooms, client)
        await demo.show(list_participants, client, room)
        await demo.show(update, client, room)
        await demo.show(create_duplicate, client)
        await demo.show(create_invalid, client)
        await demo.show(delete, client, room)
        demo.summarize()


# --- steps --------------------------------------------------------------------------------------------------


Print: TypeAlias = Callable[..., None]
"""Prints like `print`. The code is shown with `print` instead of `out`."""


async def create_rooms(out: Print, client: RoomsClient) -> Room:
    """Create rooms."""
    rooms = [await client.rooms.create(name) for name in NAMES]
    out(len(rooms), "rooms, the first one is", rooms[0].id)
    return rooms[0]


async def join(out: Print, client: RoomsClient, telnyx: Emulator, room: Room) -> None:
    """Join a room. The emulator simulates it; in production a browser joins with a token."""
    telnyx.join(room.id, context="Alice")
    bob = telnyx.join(room.id, context="Bob")
    telnyx.leave(bob.id)
    room = await client.rooms.retrieve(room.id)
    out(room.unique_name, "has a session:", room.active_session_id)


async def list_rooms(out: Print, client: RoomsClient) -> None:
    """List rooms, three per page."""
    async for room in client.rooms.list(page_size=3):
        out(room.id, room.unique_name)


async def list_participants(out: Print, client: RoomsClient, room: Room) -> None:
    """List the participants of a room."""
    sessions = client.rooms.sessions(room.id, include_participants=True)
    async for session in sessions:
        for person in session.participants or ():
            out(person.context, "has left" if person.left_at else "is in")


async def update(out: Print, client: RoomsClient, room: Room) -> None:
    """Update one field. Only that field is sent."""
    updated = await client.rooms.update(room.id, max_participants=25)
    out(room.max_participants, "->", updated.max_participants)


async def create_duplicate(out: Print, client: RoomsClient) -> None:
    """Handle an error of the API."""
    try:
        await client.rooms.create(NAMES[0])
    except UnprocessableEntityError as error:
        out(type(error).__name__, "-", error)


async def create_invalid(out: Print, client: RoomsClient) -> None:
    """Handle an invalid argument. Nothing is sent."""
    try:
        await client.rooms.create(max_participants=99)
    except InvalidArgumentError as error:
        out(type(error).__name__, "-", error)


async def delete(out: Print, client: RoomsClient, room: Room) -> None:
    """Delete a room. It cannot be retrieved any more."""
    await client.rooms.delete(room.id)
    try:
        await client.rooms.retrieve(room.id)
    except NotFoundError as error:
        out(type(error).__name__, "-", error)


# --- display ------------------------------------------------------------------------------------------------


class _Demo:
    """Runs steps, and shows the title, the code, the output and the requests of each."""

    def __init__(self, telnyx: Emulator) -> None:
        self._telnyx = telnyx
        self._started = perf_counter()
        self._steps = 0
        introduction = (
            f"A Telnyx emulator listens at {telnyx.url}.\nThe code below runs, and its HTTP is real."
        )
        output.write(Text(introduction))

    async def show(
        self, step: Callable[Concatenate[Print, P], Awaitable[T]], *args: P.args, **options: P.kwargs
    ) -> T:
        """Run one step."""
        self._steps += 1
        before = len(self._telnyx.requests)
        output.write(Text(f"\n{self._steps}. {inspect.getdoc(step)}", style="bold"))
        output.write(Text(_code(step), style="cyan"))
        result = await step(_print, *args, **options)
        output.write(Text("\n".join(_request_lines(self._telnyx.requests[before:])), style="dim"))
        return result

    def summarize(self) -> None:
        """Show the totals."""
        seconds = perf_counter() - self._started
        requests = output.counted(len(self._telnyx.requests), "request")
        rooms = output.counted(len(self._telnyx.rooms))
        output.write(Text(f"\n{requests} in {seconds:.2f} s; {rooms} left.", style="bold"))
        output.write(Text("To start an emulator for your own code: telnyx-rooms emulate"))


def _print(*values: object) -> None:
    output.write(Text(_fill(" ".join(map(str, values)), "   ", "     ")))


def _code(step: Callable[..., object]) -> str:
    """Return the source of a step in the form of an interactive session."""
    source = textwrap.dedent(inspect.getsource(step)).replace("out(", "print(")
    function = cast("ast.AsyncFunctionDef", ast.parse(source).body[0])
    code: list[str] = []
    for node in function.body[1:]:
        if not isinstance(node, ast.Return):
            lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
            first, *more = textwrap.dedent("\n".join(lines)).splitlines()
            code += [f"   >>> {first}", *(f"   ... {line}" for line in more)]
    return "\n".join(code)


def _request_lines(requests: Sequence[RecordedRequest]) -> Iterator[str]:
    """Yield the number of requests, and one line for each group of equal requests."""
    yield f"   {output.counted(len(requests), 'request', zero='no')}"
    for (method, path, query), group in groupby(
        requests, lambda request: (request.method, request.path, request.query)
    ):
        bodies = [request.body.decode() for request in group]
        parameters = (f"{name}={value}" for name, value in query)
        times = f"({len(bodies)} times)" if len(bodies) > 1 else bodies[0]
        yield _fill(" ".join([method, path, *parameters, times]), "     ", "       ")


def _fill(text: str, indent: str, subsequent_indent: str) -> str:
    """Wrap text at the width of the terminal, without breaking an id."""
    return textwrap.fill(
        text,
        output.stdout().width,
        initial_indent=indent,
        subsequent_indent=subsequent_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
