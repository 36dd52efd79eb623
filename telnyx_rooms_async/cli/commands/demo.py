"""``telnyx-rooms demo``: the main job over real HTTP, with nothing but this machine. All it says, it saw.

Each step is a function. Its docstring is its title, its body is the code that is shown, what it says comes
from the answers, and the requests below are those that arrived.
"""

import ast
import asyncio
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from time import perf_counter
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

from rich.text import Text

from telnyx_rooms_async import (
    InvalidArgumentError,
    NotFoundError,
    Room,
    RoomsClient,
    UnprocessableEntityError,
)
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import ending
from telnyx_rooms_async.emulator import Emulator, RecordedRequest

P = ParamSpec("P")
T = TypeVar("T")

NAMES: Final = ("Standup", "Retro", "Planning", "Interview", "Lecture", "Surgery", "Piano lesson")


def demo() -> None:
    """Watch the library at work on an emulated Telnyx. Needs no key and no network."""
    with ending():
        asyncio.run(_play())


async def _play() -> None:
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        stage = Stage(telnyx)
        room = await stage.show(create, client)
        await stage.show(meet, client, telnyx, room)
        await stage.show(turn_pages, client)
        await stage.show(look_who_was_there, client, room)
        await stage.show(change_one_field, client, room)
        await stage.show(take_a_taken_name, client)
        await stage.show(ask_for_too_much, client)
        await stage.show(delete, client, room)
        stage.close()


# --- the steps --------------------------------------------------------------------------------------------


class Say(Protocol):
    """Prints, as `print` does."""

    def __call__(self, *values: object) -> None:
        """Print one line."""
        ...


async def create(say: Say, client: RoomsClient) -> Room:
    """Create rooms."""
    rooms = [await client.rooms.create(unique_name=name) for name in NAMES]
    say(len(rooms), "rooms, the first of them", rooms[0].id)
    return rooms[0]


async def meet(say: Say, client: RoomsClient, telnyx: Emulator, room: Room) -> None:
    """Let people meet. The emulator lets them in; in life a browser does."""
    telnyx.join(room.id, context="Alice")
    bob = telnyx.join(room.id, context="Bob")
    telnyx.leave(bob.id)
    room = await client.rooms.retrieve(room.id)
    say(room.unique_name, "has a session:", room.active_session_id)


async def turn_pages(say: Say, client: RoomsClient) -> None:
    """List the rooms, three to a page."""
    async for room in client.rooms.list(page_size=3):
        say(room.id, room.unique_name)


async def look_who_was_there(say: Say, client: RoomsClient, room: Room) -> None:
    """Look who was there."""
    sessions = client.rooms.sessions(room.id, include_participants=True)
    async for session in sessions:
        for person in session.participants or ():
            say(person.context, "has left" if person.left_at else "is in")


async def change_one_field(say: Say, client: RoomsClient, room: Room) -> None:
    """Change one field, and send no other."""
    changed = await client.rooms.update(room.id, max_participants=25)
    say(room.max_participants, "->", changed.max_participants)


async def take_a_taken_name(say: Say, client: RoomsClient) -> None:
    """Ask for what Telnyx refuses."""
    try:
        await client.rooms.create(unique_name=NAMES[0])
    except UnprocessableEntityError as error:
        say(type(error).__name__, "-", error)


async def ask_for_too_much(say: Say, client: RoomsClient) -> None:
    """Make a mistake that is found before anything is sent."""
    try:
        await client.rooms.create(max_participants=99)
    except InvalidArgumentError as error:
        say(type(error).__name__, "-", error)


async def delete(say: Say, client: RoomsClient, room: Room) -> None:
    """Delete a room, and look for it."""
    await client.rooms.delete(room.id)
    try:
        await client.rooms.retrieve(room.id)
    except NotFoundError as error:
        say(type(error).__name__, "-", error)


# --- how they are shown -----------------------------------------------------------------------------------


class Stage:
    """Shows each step: its title, its code, what it says, and what arrived at the emulator."""

    def __init__(self, telnyx: Emulator) -> None:
        self._telnyx = telnyx
        self._started = perf_counter()
        self._steps = 0
        output.write(
            Text(f"An emulated Telnyx listens at {telnyx.url}.\nFrom here on: real code, real HTTP.")
        )

    async def show(
        self, step: Callable[Concatenate[Say, P], Awaitable[T]], *args: P.args, **options: P.kwargs
    ) -> T:
        """Play one step."""
        self._steps += 1
        seen = len(self._telnyx.requests)
        title, code = _read(step)
        output.write(Text(f"\n{self._steps}. {title}", style="bold"))
        output.write(Text(code, style="cyan"))
        answer = await step(_say, *args, **options)
        output.write(Text(_arrived(self._telnyx.requests[seen:]), style="dim"))
        return answer

    def close(self) -> None:
        """Sum up."""
        seconds = perf_counter() - self._started
        requests, rooms = len(self._telnyx.requests), len(self._telnyx.rooms)
        output.write(Text(f"\n{requests} requests in {seconds:.2f} s; {rooms} rooms are left.", style="bold"))
        output.write(Text("An emulated Telnyx of your own: telnyx-rooms emulate"))


def _say(*values: object) -> None:
    output.write(Text(_fill(" ".join(map(str, values)), "   ", "     ")))


def _read(step: Callable[..., object]) -> tuple[str, str]:
    """Return the title and the code of a step as they stand in this file, in the manner of the prompt."""
    source = textwrap.dedent(inspect.getsource(step))
    function = cast("ast.AsyncFunctionDef", ast.parse(source).body[0])
    shown = (part for part in function.body[1:] if not isinstance(part, ast.Return))
    lines = source.splitlines()
    code = "\n".join(_prompted(lines[part.lineno - 1 : part.end_lineno]) for part in shown)
    return ast.get_docstring(function) or "", code


def _prompted(lines: Sequence[str]) -> str:
    # Here a step prints by `say`; elsewhere it would by `print`.
    first, *more = textwrap.dedent("\n".join(lines)).replace("say(", "print(").splitlines()
    return "\n".join([f"   >>> {first}", *(f"   ... {line}" for line in more)])


def _arrived(requests: Sequence[RecordedRequest]) -> str:
    """Tell what arrived: how many, and each; those that are alike on one line."""
    said = output.counted(len(requests), "request", zero="no")
    return "\n".join([f"   {said}", *(_fill(line, "     ", "       ") for line in _alike(requests))])


def _alike(requests: Sequence[RecordedRequest]) -> Iterator[str]:
    for (method, path, query), group in groupby(requests, lambda each: (each.method, each.path, each.query)):
        bodies = [each.body.decode() for each in group]
        parameters = (f"{name}={value}" for name, value in query)
        times = f"({len(bodies)} times)" if len(bodies) > 1 else bodies[0]
        yield " ".join([method, path, *parameters, times])


def _fill(text: str, indent: str, further: str) -> str:
    """Fill lines of the terminal's width, without breaking an id."""
    return textwrap.fill(
        text,
        output.stdout().width,
        initial_indent=indent,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
