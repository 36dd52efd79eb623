"""What the emulated Telnyx accepts in the bodies of requests, written from its API reference."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Self, cast

from attrs import field, frozen

from telnyx_rooms_async.core.codec import DecodeError, parse
from telnyx_rooms_async.emulator.checks import (
    Check,
    fields,
    flag,
    identifier,
    integer,
    list_of,
    map_of,
    nullable,
    one_of,
    text,
    url,
    wrong,
)
from telnyx_rooms_async.emulator.refusals import Entry, not_json, unprocessable


@frozen
class Body:
    """The fields of a body; what is wrong with them is kept until `refuse_if_wrong`."""

    _told: Mapping[str, object] = field(repr=False)
    _wrong: list[Entry] = field(factory=list[Entry], init=False)

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a JSON object; no body at all is an empty one.

        Raises:
            RefusalError: 400, for anything else.
        """
        try:
            told = parse(raw or b"{}")
        except DecodeError:
            raise not_json() from None
        if not isinstance(told, dict):
            raise not_json()
        return cls(cast("Mapping[str, object]", told))

    def take(self, checks: Mapping[str, Check], *, required: Collection[str] = ()) -> dict[str, Any]:
        """Return the fields that are given and known; others are passed over, as Telnyx does."""
        for name in required:
            if name not in self._told:
                self.blame(name, "10004", "Missing required parameter", "is required")
        given = {name: self._told[name] for name in checks if name in self._told}
        for name, value in given.items():
            self._wrong.extend(checks[name](f"/{name}", value))
        return given

    def blame(self, name: str, code: str, title: str, detail: str) -> None:
        """Add what a field's own check cannot know."""
        self._wrong.append(wrong(f"/{name}", code, title, detail))

    def refuse_if_wrong(self) -> None:
        """Refuse what was wrong with the fields taken so far.

        Raises:
            RefusalError: 422, with an entry for each.
        """
        if self._wrong:
            raise unprocessable(self._wrong)


_SIDE_MIN, _SIDE_MAX, _AREA_MAX = 16, 1280, 1280 * 720
_ANY: Final = 2**31
"""Where the API reference has no bound."""


def _resolution(at: str, value: object) -> Iterator[Entry]:
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value) if isinstance(value, str) else None
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if min(width, height) < _SIDE_MIN or max(width, height) > _SIDE_MAX or width * height > _AREA_MAX:
        detail = 'must be like "1280x720", each side from 16 to 1280 and the area no larger'
        yield wrong(at, "10033", "Out of range", detail)


def _participants(at: str, value: object) -> Iterator[Entry]:
    if isinstance(value, list):
        yield from list_of(identifier)(at, cast("object", value))
    elif value != "all":
        yield wrong(at, "10026", "Invalid type", 'must be "all" or an array of ids')


_WEBHOOK: Final[Mapping[str, Check]] = {
    "webhook_event_url": nullable(url),
    "webhook_event_failover_url": nullable(url),
    "webhook_timeout_secs": nullable(integer(0, 30)),
}
_REGION: Final[Mapping[str, Check]] = {
    "height": integer(_SIDE_MIN, _ANY),
    "width": integer(_SIDE_MIN, _ANY),
    "x_pos": integer(-_ANY, _ANY),
    "y_pos": integer(-_ANY, _ANY),
    "z_pos": integer(-99, 99),
    "max_columns": integer(1, 1000),
    "max_rows": integer(1, 1000),
    "video_sources": list_of(text),
}

ROOM: Final[Mapping[str, Check]] = {
    "unique_name": nullable(text),
    "max_participants": integer(2, 50),
    "enable_recording": flag,
    **_WEBHOOK,
}
TOKEN: Final[Mapping[str, Check]] = {
    "token_ttl_secs": integer(10, 3600),
    "refresh_token_ttl_secs": integer(60, 86400),
}
REFRESH: Final[Mapping[str, Check]] = {
    "refresh_token": text,
    "token_ttl_secs": integer(10, 3600),
}
PERSON: Final[Mapping[str, Check]] = {
    "room_id": text,
    "context": text,
}
PARTICIPANTS: Final[Mapping[str, Check]] = {
    "participants": _participants,
    "exclude": list_of(identifier),
}
COMPOSITION: Final[Mapping[str, Check]] = {
    "session_id": identifier,
    "video_layout": map_of(fields(_REGION), most=2),
    # In no published version of the API reference; programs in production send it, or all is silent.
    "audio_sources": one_of(None, ["*"]),
    "format": one_of("mp4"),
    "resolution": _resolution,
    **_WEBHOOK,
}
