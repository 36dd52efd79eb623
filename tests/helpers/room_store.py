"""The rooms of a fault server, and its correct responses; tokens and links in them are secrets."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from operator import eq
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

from attrs import define, field, frozen

SECRET_KEY: Final = "KEY0123CANARYKEY"
SECRET_TOKEN: Final = "CANARYTOKEN.eyJhbGciOiJIUzUxMiJ9"
SECRET_REFRESH_TOKEN: Final = "CANARYREFRESH.eyJhbGciOiJIUzUxMiJ9"
SECRET_SIGNATURE: Final = "CANARYSIGNATURE"
SECRETS: Final = (SECRET_KEY, SECRET_TOKEN, SECRET_REFRESH_TOKEN, SECRET_SIGNATURE)

HEALTHY_ROOM_ID: Final = "a-healthy-room"
FILM: Final = b"the whole film"
Room: TypeAlias = dict[str, object]
StoreResponse: TypeAlias = tuple[int, object]

NOT_FOUND: Final[StoreResponse] = (404, {"code": "10005", "title": "Resource not found"})
NAME_TAKEN: Final[StoreResponse] = (
    422,
    {"errors": {"unique_name_not_unique_for_user_id": ["has already been taken"]}},
)
FIXED: Final[Mapping[str, StoreResponse]] = {
    "POST rooms/*/actions/*": (201, {"data": {"token": SECRET_TOKEN, "refresh_token": SECRET_REFRESH_TOKEN}}),
    "POST room_sessions/*/actions/*": (200, {"data": {"result": "ok"}}),
    "POST room_compositions": (202, {"data": {"id": "a-composition", "status": "enqueued"}}),
    "DELETE room_recordings": (201, {"data": {"room_recordings": 2}}),
    "GET files/*": (200, FILM),
}
"""Responses that do not depend on the rooms, by patterns of method and path."""


@frozen(kw_only=True)
class RecordedRequest:
    """A request that arrived."""

    method: str
    target: str
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    """Seconds."""
    connection: int
    """The number of the connection."""

    @property
    def path(self) -> str:
        """The path below the base URL."""
        return unquote(urlsplit(self.target).path).removeprefix("/v2")

    @property
    def is_file(self) -> bool:
        """Whether the request goes to a presigned URL, not to the API."""
        return self.path.startswith("/files/")

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def fields(self) -> dict[str, Any]:
        """The decoded body."""
        fields: dict[str, Any] = json.loads(self.body or b"{}")
        return fields


@define(eq=False, repr=False)
class RoomStore:
    """The rooms of an account, with one healthy room from the start."""

    now: Callable[[], float]
    url: str = ""
    names_are_unique: bool = True
    newest_first: bool = False
    is_match: Callable[[object, str], bool] = eq
    """The filter by name: a room's name and the name in the query."""
    page_meta: Callable[[Room], object] = lambda meta: meta
    """Makes ``meta`` of a page from the correct one; ``...`` leaves it out."""
    rooms: list[Room] = field(factory=list[Room])
    made: int = 0
    """How many rooms were created over the wire."""
    _numbers: int = 0

    def __attrs_post_init__(self) -> None:
        self.restore()

    def restore(self) -> None:
        """Keep only the healthy room."""
        self.rooms = [self._room(HEALTHY_ROOM_ID, {"unique_name": "Healthy"})]

    @property
    def ids(self) -> list[object]:
        """The ids of all rooms except the healthy one."""
        return [room["id"] for room in self.rooms if room["id"] != HEALTHY_ROOM_ID]

    def seed(self, count: int = 1, *, ago: float = 0.0, **fields: object) -> list[Room]:
        """Add rooms that were not created over the wire."""
        new: list[Room] = []
        for _ in range(count):
            self._numbers += 1
            new.append(self._room(str(UUID(int=self._numbers)), fields, ago))
        self.rooms = [*reversed(new), *self.rooms] if self.newest_first else [*self.rooms, *new]
        return new

    def respond(self, request: RecordedRequest, *, commits: bool = True) -> StoreResponse:
        """Return the correct response to a request, which is carried out only if it `commits`."""
        rooms, made = self.rooms, self.made
        if commits:
            return self._respond(request)
        self.rooms = [dict(room) for room in rooms]
        response = self._respond(request)
        self.rooms, self.made = rooms, made
        return response

    def _respond(self, request: RecordedRequest) -> StoreResponse:
        path = request.path.strip("/")
        match request.method, path.split("/"):
            case "POST", ["rooms"]:
                return self._create(**request.fields)
            case "GET", ["rooms"]:
                return 200, self._page(request.query)
            case method, ["rooms", room_id]:
                return self._respond_for_room(method, room_id, request.fields)
            case "GET", ["room_recordings", recording_id]:
                link = f"{self.url}/files/film.mp4?signature={SECRET_SIGNATURE}"
                return 200, {"data": {"id": recording_id, "status": "completed", "download_url": link}}
            case _:
                call = f"{request.method} {path}"
                return next(
                    (value for pattern, value in FIXED.items() if fnmatchcase(call, pattern)), NOT_FOUND
                )

    def _create(self, **fields: Any) -> StoreResponse:
        name = fields.get("unique_name")
        if name and self.names_are_unique and any(room["unique_name"] == name for room in self.rooms):
            return NAME_TAKEN
        self.made += 1
        return 201, {"data": self.seed(**fields)[0]}

    def _respond_for_room(self, method: str, room_id: str, fields: Room) -> StoreResponse:
        room = next((room for room in self.rooms if room["id"] == room_id), None)
        if room is None:
            return NOT_FOUND
        if method == "DELETE":
            self.rooms.remove(room)
            return 204, None
        if method == "PATCH":
            room |= fields
        return 200, {"data": room}

    def _page(self, query: Mapping[str, str]) -> Room:
        name = query.get("filter[unique_name]")
        rooms = [room for room in self.rooms if name is None or self.is_match(room["unique_name"], name)]
        number, size = int(query.get("page[number]", 1)), int(query.get("page[size]", 20))
        meta = self.page_meta(
            {
                "page_number": number,
                "page_size": size,
                "total_pages": -(-len(rooms) // size),
                "total_results": len(rooms),
            }
        )
        data = rooms[(number - 1) * size : number * size]
        return {"data": data} if meta is ... else {"data": data, "meta": meta}

    def _room(self, room_id: str, fields: Room, ago: float = 0.0) -> Room:
        return {
            "unique_name": None,
            "max_participants": 10,
            "enable_recording": False,
            **fields,
            "id": room_id,
            "record_type": "room",
            # The models ignore this field, so it must not appear anywhere.
            "pin": SECRET_TOKEN,
            "created_at": self._instant(ago),
            "updated_at": self._instant(ago),
        }

    def _instant(self, ago: float = 0.0) -> str:
        return datetime.fromtimestamp(self.now() - ago, UTC).isoformat().replace("+00:00", "Z")
