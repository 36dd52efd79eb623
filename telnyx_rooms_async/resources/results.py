"""Results of operations that are no response models: plans, downloaded files, raw responses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Generic, Literal, TypeVar

from attrs import field, frozen

from telnyx_rooms_async.core.http_messages import Headers
from telnyx_rooms_async.core.validators import checked_limit
from telnyx_rooms_async.errors import Attempt, InvalidArgumentError, one_line
from telnyx_rooms_async.models import Room, Value, public_url_repr

T = TypeVar("T")

_MAX_NAME_WIDTH: Final = 40


@frozen(kw_only=True, eq=False, repr=False)
class APIResponse(Value, Generic[T]):
    """The value of a call, and the response that it came from: the last one, if there were several.

    Example:
        >>> response = await client.with_raw_response.rooms.retrieve(room_id)
        >>> response.value.unique_name, response.status_code, response.headers["Content-Type"]
        ('Weekly', 200, 'application/json')
    """

    value: T
    """What the call returns without ``with_raw_response``; of a list, its first page."""
    status_code: int
    """Status of the response: 200, for example."""
    headers: Headers
    """Names are found in any case; ``headers.raw`` has repeated headers too."""
    request_id: str | None
    """Telnyx's id of the request, for its support."""
    attempts: tuple[Attempt, ...]
    """All requests of the call, the last one included."""
    elapsed: float
    """Seconds that the call took, delays and waits for the rate limit included."""


@frozen(kw_only=True, eq=False, repr=False)
class DownloadedFile(Value):
    """Result of a download.

    Example:
        >>> file = await client.recordings.download(recording, "meeting.webm")
        >>> file.size == os.path.getsize("meeting.webm")
        True
    """

    path: Path | None
    """None if the target was a writer."""
    size: int
    """Bytes."""
    content_type: str | None
    """As stated by the store: ``"video/mp4"``."""


def _setting_repr(name: str, value: object) -> str:
    return public_url_repr(value) if name.endswith("_url") else repr(value)


def _settings_repr(settings: Mapping[str, object]) -> str:
    parts = (f"{name!r}: {_setting_repr(name, value)}" for name, value in settings.items())
    return f"{{{', '.join(parts)}}}"


@frozen(kw_only=True, eq=False, repr=False)
class Ensured(Value):
    """Result of `Rooms.ensure`.

    Example:
        >>> (await client.rooms.ensure("Weekly")).action
        'unchanged'
    """

    room: Room
    """The room as it is now."""
    action: Literal["created", "updated", "unchanged"]
    """What was done."""
    changed: tuple[str, ...] = ()
    """The settings that were changed; of a new room all that were requested."""


@frozen(kw_only=True, eq=False, repr=False)
class Change(Value):
    """One change of a plan. `str` returns it as a line.

    Example:
        >>> plan = await client.rooms.plan([{"unique_name": "Weekly", "max_participants": 25}])
        >>> print(plan.changes[0])
        update  'Weekly'  max_participants: 10 -> 25
    """

    action: Literal["create", "update", "delete"]
    """What `Rooms.apply` would do."""
    unique_name: str | None = None
    """Name of the room; None for a room without a name."""
    room_id: str | None = None
    """None for a room that is to be created."""
    before: Mapping[str, object] = field(default={}, repr=_settings_repr, hash=False)
    """The present settings that change; of a room that is to be deleted all of its settings."""
    after: Mapping[str, object] = field(default={}, repr=_settings_repr, hash=False)
    """The wanted settings that change; of a new room all that were requested."""

    def __str__(self) -> str:
        return _line(self)


def _name_repr(change: Change) -> str:
    return "without a name" if change.unique_name is None else repr(change.unique_name)


def _line(change: Change, width: int = 0) -> str:
    """Return a change as a line, with the name of its room padded to `width`."""
    if change.action == "delete":
        details = one_line(change.room_id or "")
    else:
        before = {name: f"{_setting_repr(name, value)} -> " for name, value in change.before.items()}
        details = ", ".join(
            f"{name}: {before.get(name, '')}{_setting_repr(name, value)}"
            for name, value in change.after.items()
        )
    return f"{change.action}  {_name_repr(change):{width}}  {details}".rstrip()


@frozen(kw_only=True, eq=False, repr=False)
class Plan(Value):
    """The changes that make rooms as desired. `str` returns a table; an empty plan is false.

    Example:
        >>> print(await client.rooms.plan([{"unique_name": "Weekly"}], prune=True))
        delete  'Daily'  ...
        0 to create, 0 to update, 1 to delete, 1 unchanged
    """

    changes: tuple[Change, ...] = ()
    """Creations first, then updates, then deletions."""
    unchanged: int = 0
    """Number of rooms that need no change."""

    @property
    def creates(self) -> int:
        """Number of rooms to create."""
        return sum(change.action == "create" for change in self.changes)

    @property
    def updates(self) -> int:
        """Number of rooms to update."""
        return sum(change.action == "update" for change in self.changes)

    @property
    def deletes(self) -> int:
        """Number of rooms to delete."""
        return sum(change.action == "delete" for change in self.changes)

    def check_deletes(self, max_deletes: int | None = None) -> None:
        """Check that the plan does not delete too many rooms.

        Args:
            max_deletes: the largest number of rooms that may be deleted; None allows half of the rooms.

        Raises:
            InvalidArgumentError: the plan deletes more, or `max_deletes` is not a whole number from 0.
        """
        max_deletes = checked_limit("max_deletes", max_deletes, minimum=0)
        deletes = self.deletes
        rooms = self.unchanged + self.updates + deletes
        summary = f"the plan deletes {deletes} of {rooms} rooms"
        if max_deletes is None and deletes * 2 > rooms:
            problem = f"{summary}, more than half: nothing was changed; max_deletes={deletes} allows it"
            raise InvalidArgumentError((problem,))
        if max_deletes is not None and deletes > max_deletes:
            problem = f"{summary}, more than max_deletes={max_deletes}: nothing was changed"
            raise InvalidArgumentError((problem,))

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        counts = f"{self.creates} to create, {self.updates} to update, {self.deletes} to delete"
        width = min(_MAX_NAME_WIDTH, max((len(_name_repr(change)) for change in self.changes), default=0))
        lines = (_line(change, width) for change in self.changes)
        return "\n".join([*lines, f"{counts}, {self.unchanged} unchanged"])
