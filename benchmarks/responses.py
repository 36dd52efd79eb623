"""Responses as the API sends them."""

import json
from functools import lru_cache
from typing import Final

ROOM_ID: Final = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
PAGE_SIZE: Final = 250
"""The largest size that the API allows."""

_HEAD: Final = (
    "HTTP/1.1 {status} {reason}\r\n"
    "Date: Thu, 01 May 2025 12:00:00 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: {length}\r\n"
    "Connection: keep-alive\r\n"
    "cache-control: max-age=0, private, must-revalidate\r\n"
    "x-ratelimit-limit: 100000\r\n"
    "x-ratelimit-remaining: 99999\r\n"
    "x-ratelimit-reset: 1\r\n"
    "x-request-id: 7a1e5d3c-6c0b-4c59-8a55-0f4de2c0f9aa\r\n"
    "\r\n"
)
_INSTANT: Final = "2021-03-26T17:51:59.588408Z"


def http_response(status: int, reason: str, body: bytes) -> bytes:
    """Return a whole HTTP message."""
    return _HEAD.format(status=status, reason=reason, length=len(body)).encode() + body


def one_room() -> bytes:
    """Return the body with one room."""
    return _json({"data": _room(ROOM_ID, sessions=False)})


@lru_cache(maxsize=1024)
def page(number: int, size: int, total: int, *, sessions: bool) -> bytes:
    """Return the body of page `number` of `total` rooms with different ids."""
    indices = range((number - 1) * size, min(number * size, total))
    ids = (f"{ROOM_ID[:24]}{index:012x}" for index in indices)
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-total // size),
        "total_results": total,
    }
    return _json({"data": [_room(room_id, sessions=sessions) for room_id in ids], "meta": meta})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _room(room_id: str, *, sessions: bool) -> dict[str, object]:
    room: dict[str, object] = {
        "id": room_id,
        "unique_name": f"Surgery of {room_id[-4:]}",
        "max_participants": 50,
        "enable_recording": True,
        "active_session_id": f"4f1c9a0e{room_id[8:]}",
        "webhook_event_url": "https://example.com/telnyx/rooms",
        "webhook_event_failover_url": "https://failover.example.com/telnyx/rooms",
        "webhook_timeout_secs": 25,
        "created_at": _INSTANT,
        "updated_at": _INSTANT,
        "record_type": "room",
    }
    return room | ({"sessions": [_session(room_id)]} if sessions else {})


def _session(room_id: str) -> dict[str, object]:
    return {
        "id": f"4f1c9a0e{room_id[8:]}",
        "room_id": room_id,
        "active": True,
        "created_at": _INSTANT,
        "updated_at": _INSTANT,
        "ended_at": None,
        "participants": [],
        "record_type": "room_session",
    }
