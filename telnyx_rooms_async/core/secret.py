"""Secrets: text that is sent and never shown, and tracebacks without the frames that hold such text.

Tools that report errors, such as Sentry and rich, show the local variables of every frame.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from traceback import format_tb, walk_tb
from types import FrameType
from typing import Any, ParamSpec, SupportsIndex, TypeVar, cast
from urllib.parse import quote

from telnyx_rooms_async.errors import TelnyxRoomsError

P = ParamSpec("P")
T = TypeVar("T")


class Secret(str):
    """A string with a redacted repr, also inside headers and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __getitem__(self, key: SupportsIndex | slice) -> "Secret":
        """Return a part of the text, a secret as well: some tools cut long strings before their repr."""
        return Secret(super().__getitem__(key))


def hidden(value: object) -> Secret:
    """Return an argument as a secret; anything but text becomes the empty secret, which is refused."""
    return Secret(str.__str__(cast("str", value))) if issubclass(type(value), str) else Secret()


class HiddenValue:
    """Holds a value that may be a secret, for frames that error reports show."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - any value
        self.value: Any = value


def written_forms(secret: str) -> tuple[str, ...]:
    """Return a secret in each way that a server may write it into a text: as it is, in HTML, in a URL."""
    from html import escape  # noqa: PLC0415 - loads all entities of HTML, and only an error needs it

    forms = {secret, escape(secret), escape(secret, quote=False), quote(secret), quote(secret, safe="")}
    return tuple(sorted(forms, key=len, reverse=True))


def drop_frames(error: BaseException) -> None:
    """Remove the frames of this call from an exception and from its chain.

    For the outermost ``except`` of a function: a bare ``raise`` after it does not add the frame of that
    function either. An exception that the caller was already handling keeps its traceback. An unexpected
    exception gets a note with the lines of the removed frames.
    """
    if isinstance(error, Exception) and not isinstance(error, TelnyxRoomsError):
        lines = "".join(format_tb(error.__traceback__)[1:])  # the first is of the function at the boundary
        note = f"Raised below, in frames that were removed as they may hold secrets:\n{lines}"
        # Several calls raise the same exception if they waited for the same function of a user.
        if lines and note not in getattr(error, "__notes__", ()):
            error.add_note(note)
    frames: set[FrameType] = set()
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is None or (traceback := link.__traceback__) is None:
            continue
        # The frame that handled an exception during this call is a frame of the one that was raised then.
        if link is error or traceback.tb_frame in frames:
            frames.update(frame for frame, _ in walk_tb(traceback))
            link.__traceback__ = None
            links += (link.__cause__, link.__context__)


def without_frames(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function whose exceptions must not carry its frames."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            drop_frames(error)
            raise

    return call


def without_async_frames(function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorate a coroutine function whose exceptions must not carry its frames, `CancelledError` included."""

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            drop_frames(error)
            raise

    return call
