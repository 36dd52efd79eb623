"""The journal of a job as lines of JSON: what is written, and what it comes to when it is read again.

    {"telnyx_rooms_journal":2,"job":"create_many","started":1700000000.0,"base_url":"https://…","account":"5d41…"}
    {"index":0,"digest":"9f86d081884c7d65","state":"begun"}
    {"index":0,"digest":"9f86d081884c7d65","state":"done","room_id":"0ccc7b54-…"}
    {"index":1,"digest":"5feceb66ffc86f38","state":"failed","error":"NameTakenError","status":422,"code":"10027","sure":true}

Items begin in their order, so that the index of a new line is known, or the next one.
"""

import enum
import json
import re
from array import array
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, cast

from attrs import asdict, define, field, frozen

from telnyx_rooms_async.core.codec import MisfitError, encode, parse
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.models import Room, RoomSession
from telnyx_rooms_async.core.rules import exact_flag, exact_integer, exact_url, show
from telnyx_rooms_async.core.statuses import APIStatusError

VERSION: Final = 2
MARK: Final = b'{"telnyx_rooms_journal":'
"""What the file begins with."""
ACCOUNT_MESSAGE: Final = b"telnyx-rooms-async journal"
"""Its digest, keyed with the API key, stands for the account: each key has another, and it is no secret."""
_DIGEST_BYTES: Final = 8
_DIGEST: Final = re.compile("[0-9a-f]{16}")
_PASSING: Final = frozenset({408, 429})


class State(enum.IntEnum):
    """How far an item is."""

    OPEN = 0
    """It was begun, and may have been done."""
    DONE = 1
    FAILED = 2
    """It certainly was not done."""


def digest_of(item: object) -> str:
    """Return a short digest of an item: the same for the same item, in every process."""
    try:
        text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=_plain)
    except Exception:  # noqa: BLE001 - nothing that could be sent: a user's object can raise anything
        text = f"{type(item).__name__} {_printed(item)}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if isinstance(value, Room | RoomSession):
        return value.id
    exact = exact_integer(exact_flag(exact_url(value)))  # of numpy or yarl
    return str(value) if exact is value else exact


def _printed(item: object) -> str:
    try:
        return str.__str__(repr(item))
    except Exception:  # noqa: BLE001 - a __repr__ can raise anything
        return show(item)


# --- what is written ----------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Header:
    """The first line."""

    job: str
    started: float
    """Seconds since the epoch: nothing of this job was done before."""
    base_url: str
    account: str
    """A digest of the API key; see `ACCOUNT_MESSAGE`."""

    def mismatch(self, current: "Header", *, key_rotated: bool) -> str | None:
        """Return why a journal with this header cannot be continued by a job that would write `current`.

        Args:
            current: of the job that is to go on.
            key_rotated: whether the API key may be another one.
        """
        if self.job != current.job:
            return f"it is of another job: {self.job}, not {current.job}"
        if self.base_url != current.base_url:
            return f"it was begun at {self.base_url}, not at {current.base_url}: use another journal here"
        if self.account != current.account and not key_rotated:
            return (
                f"it was begun at {self.base_url} with another API key: use another journal, or"
                " key_rotated=True (--key-rotated) if that was an older key of the same account"
            )
        return None


def header_line(header: Header) -> bytes:
    """Write the first line."""
    return _line({"telnyx_rooms_journal": VERSION, **asdict(header)})


def begun_line(index: int, digest: str) -> bytes:
    """Write that an item begins: before anything is sent."""
    return _line({"index": index, "digest": digest, "state": "begun"})


def done_line(index: int, digest: str, room_id: str | None) -> bytes:
    """Write that an item is done."""
    told = {"index": index, "digest": digest, "state": "done"}
    return _line(told if room_id is None else {**told, "room_id": room_id})


def failed_line(index: int, digest: str, error: Exception, *, may_be_done: bool) -> bytes:
    """Write that an item failed, and whether it certainly was not done."""
    told = {"index": index, "digest": digest, "state": "failed", "error": type(error).__name__}
    # Not its words: they may hold the item, or what a server repeats of it.
    said = {"status": error.status, "code": error.code} if isinstance(error, APIStatusError) else {}
    return _line({**told, **said, "sure": not may_be_done})


def _line(fields: Mapping[str, object]) -> bytes:
    return encode(fields) + b"\n"


def is_certain(error: Exception) -> bool:
    """Tell whether nothing was done for an item that met this error."""
    if isinstance(error, APIStatusError):
        return 400 <= error.status < 500 and error.status not in _PASSING  # noqa: PLR2004 - 4xx
    return isinstance(error, InvalidArgumentError)


# --- what is read -------------------------------------------------------------------------------------------


def read_header(line: bytes) -> Header:
    """Read the first line.

    Raises:
        ValueError: it is not that of a journal, or of one of another version.
    """
    if not line.startswith(MARK):
        raise ValueError("it is no journal")
    fields = _fields(line)
    if fields.get("telnyx_rooms_journal") != VERSION:
        raise ValueError(f"it is of version {fields.get('telnyx_rooms_journal')}, not {VERSION}")
    job, started = fields.get("job"), fields.get("started")
    base_url, account = fields.get("base_url"), fields.get("account")
    if (
        isinstance(job, str)
        and isinstance(started, int | float)
        and isinstance(base_url, str)
        and isinstance(account, str)
    ):
        return Header(job=job, started=float(started), base_url=base_url, account=account)
    raise ValueError("is damaged")


@define
class Ledger:
    """What a journal has come to: nine bytes an item."""

    states: bytearray = field(factory=bytearray)
    digests: "array[int]" = field(factory=lambda: array("Q"))

    def __len__(self) -> int:
        return len(self.states)

    def read(self, line: bytes) -> None:
        """Take in one line.

        Raises:
            ValueError: it does not fit.
        """
        fields = _fields(line)
        index, digest, state = fields.get("index"), fields.get("digest"), fields.get("state")
        if type(index) is not int or not 0 <= index <= len(self):
            raise ValueError("is damaged")
        number = _number(digest)
        if index == len(self):
            self.states.append(State.OPEN)
            self.digests.append(number)
        elif self.digests[index] != number:
            raise ValueError("contradicts an earlier one")
        if state == "begun":
            # That a certain failure is tried again: from here on it may be done.
            self.states[index] = State.OPEN
        elif state == "done":
            self.states[index] = State.DONE
        elif state == "failed":
            self.states[index] = State.FAILED if fields.get("sure") is True else State.OPEN
        else:
            raise ValueError("is damaged")

    def state_of(self, index: int, digest: str) -> State | None:
        """Return how far an item is; ``None`` for one that is new.

        Raises:
            ValueError: the journal knows another item of that index.
        """
        if index >= len(self):
            return None
        if self.digests[index] != _number(digest):
            raise ValueError(f"item {index} is another one than when it was written: it is of other input")
        return State(self.states[index])


def _number(digest: object) -> int:
    if isinstance(digest, str) and _DIGEST.fullmatch(digest):
        return int(digest, 16)
    raise ValueError("is damaged")


def _fields(line: bytes) -> Mapping[object, object]:
    try:
        fields = cast("object", parse(line))
    except MisfitError:
        raise ValueError("is damaged") from None
    return cast("Mapping[object, object]", fields) if isinstance(fields, Mapping) else {}
