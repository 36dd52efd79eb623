"""What the faulty Telnyx keeps: rooms, and honest answers about them. Secrets in them are canaries."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import eq
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

from attrs import define, field, frozen

CANARY_KEY: Final = "KEY0123CANARYKEY"
CANARY_TOKEN: Final = "CANARYTOKEN.eyJhbGciOiJIUzUxMiJ9"
CANARY_REFRESH: Final = "CANARYREFRESH.eyJhbGciOiJIUzUxMiJ9"
CANARY_SIGNATURE: Final = "CANARYSIGNATURE"
CANARIES: Final = (CANARY_KEY, CANARY_TOKEN, CANARY_REFRESH, CANARY_SIGNATURE)

HEALTHY: Final = "a-healthy-room"
Room: TypeAlias = dict[str, object]
Answer: TypeAlias = tuple[int, object]

NOT_FOUND: Final[Answer] = (404, {"code": "10005", "title": "Resource not found"})
NAME_TAKEN: Final[Answer] = (
    422,
    {"errors": {"unique_name_not_unique_for_user_id": ["has already been taken"]}},
)


@frozen(kw_only=True)
class Asked:
    """A request that arrived."""

    method: str
    target: str
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    """Seconds of the loop."""
    line: int = 0
    """Which connection it came by."""

    @property
    def path(self) -> str:
        """Below the base URL."""
        return unquote(urlsplit(self.target).path).removeprefix("/v2")

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the path."""
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def fields(self) -> dict[str, Any]:
        """What is in the body."""
        told: dict[str, Any] = json.loads(self.body or b"{}")
        return told


def unchanged(meta: Room) -> object:
    """Tell of a page as it is."""
    return meta


@define(eq=False, repr=False)
class Ledger:
    """The rooms of an account."""

    now: Callable[[], float]
    url: str = ""
    names_are_unique: bool = True
    newest_first: bool = False
    is_match: Callable[[object, str], bool] = eq
    """What the filter by name lets through: a room's name, and the name that is looked for."""
    tells: Callable[[Room], object] = unchanged
    """What is said under ``meta``, out of what is true; ``...`` for nothing at all."""
    rooms: list[Room] = field(factory=list[Room])
    made: int = 0
    """How many rooms were ever created over the wire."""
    _numbers: int = 0

    def __attrs_post_init__(self) -> None:
        self.restore()

    def restore(self) -> None:
        """Have one room that is there when all else is over."""
        self.rooms = [self._room(HEALTHY, {"unique_name": "Healthy"})]

    @property
    def ids(self) -> list[object]:
        """The ids of all rooms but the healthy one."""
        return [room["id"] for room in self.rooms if room["id"] != HEALTHY]

    def seed(self, count: int = 1, *, ago: float = 0.0, **fields: object) -> list[Room]:
        """Put rooms in that nobody has created over the wire."""
        new = [self._room(self._number(), fields, ago) for _ in range(count)]
        self.rooms = [*reversed(new), *self.rooms] if self.newest_first else [*self.rooms, *new]
        return new

    def empty(self) -> None:
        """Forget all rooms."""
        self.rooms = []

    def answer(self, asked: Asked) -> Answer:  # noqa: PLR0911 - a line a row of the table
        """Do what was asked, and answer truly."""
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["rooms"]:
                return self._create(asked.fields)
            case "GET", ["rooms"]:
                return 200, self._page(asked.query)
            case method, ["rooms", room_id]:
                return self._one(method, room_id, asked)
            case "POST", ["rooms", _, "actions", action]:
                return 201, {"data": self._tokens(action)}
            case "POST", ["room_sessions", _, "actions", _]:
                return 200, {"data": {"result": "ok"}}
            case "POST", ["room_compositions"]:
                return 202, {"data": {"id": "a-composition", "status": "enqueued"}}
            case "DELETE", ["room_recordings"]:
                return 201, {"data": {"room_recordings": 2}}
            case "GET", ["room_recordings", recording_id]:
                return 200, {"data": self._recording(recording_id)}
            case "GET", ["files", _]:
                return 200, b"the whole film"
            case _:
                return NOT_FOUND

    def pretend(self, asked: Asked) -> Answer:
        """Answer as if it had been done."""
        rooms, made = self.rooms, self.made
        self.rooms = [dict(room) for room in rooms]
        answer = self.answer(asked)
        self.rooms, self.made = rooms, made
        return answer

    def _create(self, fields: dict[str, Any]) -> Answer:
        name = fields.get("unique_name")
        if self.names_are_unique and name and any(room["unique_name"] == name for room in self.rooms):
            return NAME_TAKEN
        self.made += 1
        return 201, {"data": self.seed(**fields)[0]}

    def _one(self, method: str, room_id: str, asked: Asked) -> Answer:
        found = next((room for room in self.rooms if room["id"] == room_id), None)
        if found is None:
            return NOT_FOUND
        if method == "DELETE":
            self.rooms.remove(found)
            return 204, None
        if method == "PATCH":
            found |= asked.fields
        return 200, {"data": found}

    def _page(self, query: Mapping[str, str]) -> Room:
        name = query.get("filter[unique_name]")
        found = [room for room in self.rooms if name is None or self.is_match(room["unique_name"], name)]
        number, size = int(query.get("page[number]", 1)), int(query.get("page[size]", 20))
        meta = self.tells(
            {
                "page_number": number,
                "page_size": size,
                "total_pages": -(-len(found) // size),
                "total_results": len(found),
            }
        )
        data = found[(number - 1) * size : number * size]
        return {"data": data} if meta is ... else {"data": data, "meta": meta}

    def _tokens(self, action: str) -> Room:
        access: Room = {"token": CANARY_TOKEN, "token_expires_at": self._instant()}
        if action == "refresh_client_token":
            return access
        return access | {"refresh_token": CANARY_REFRESH, "refresh_token_expires_at": self._instant()}

    def _recording(self, recording_id: str) -> Room:
        link = f"{self.url}/files/film.mp4?signature={CANARY_SIGNATURE}"
        return {"id": recording_id, "status": "completed", "download_url": link}

    def _room(self, room_id: str, fields: Room, ago: float = 0.0) -> Room:
        asked: Room = {"unique_name": None, "max_participants": 10, "enable_recording": False} | fields
        # What no model knows is passed over, so the canary must never come out again.
        own: Room = {"id": room_id, "record_type": "room", "pin": CANARY_TOKEN}
        return asked | own | {"created_at": self._instant(ago), "updated_at": self._instant(ago)}

    def _number(self) -> str:
        self._numbers += 1
        return str(UUID(int=self._numbers))

    def _instant(self, ago: float = 0.0) -> str:
        return datetime.fromtimestamp(self.now() - ago, UTC).isoformat().replace("+00:00", "Z")


def http(status: int, told: object = None, **headers: str) -> bytes:
    """Write a well-formed answer; ``_`` in a header's name stands for ``-``."""
    body = told if isinstance(told, bytes) else b"" if told is None else json.dumps(told).encode()
    own = {} if status == 204 else {"Content_Type": "application/json", "Content_Length": str(len(body))}
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (own | headers).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
