"""Faults and rate limits from a JSON file."""

import json
from typing import Any

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault, load_faults
from tests.helpers.http_client import HttpClient

FILE = b"""[
    {"operation": "CreateRoom", "times": 2, "status": 503, "retry_after": 2},
    {"cut": "body", "reset": true, "delay": 0.5, "headers": {"cf-ray": "8a"}},
    {"operation": "ListRooms", "times": null, "status": 500, "after": true, "body": {"message": "Error"}},
    {"operation": null, "body": "<html>"},
    {"limit": {"requests": 3, "seconds": 5}}
]"""


async def test_faults_and_limits_are_loaded(telnyx: Emulator, api: HttpClient) -> None:
    load_faults(telnyx, FILE)
    assert telnyx.pending_faults == (
        Fault(status=503, retry_after=2),
        Fault(cut="body", reset=True, delay=0.5, headers={"cf-ray": "8a"}),
        Fault(status=500, after=True, body={"message": "Error"}),
        Fault(body=b"<html>"),
    )
    responses = [await api.post("rooms", {}) for _ in range(2)]
    assert [(response.status, response.headers["x-ratelimit-remaining"]) for response in responses] == [
        (503, "2"),
        (503, "1"),
    ]


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"statsu": 1, "when": 2}, "unknown field: statsu, when"),
    ({"status": 99}, "status must be an integer from 200 to 599, not 99"),
    ({"delay": "1"}, "delay: expected number, got string"),
    ({"times": 0}, "times must be an integer from 1 to 1000000000, not 0"),
    ({"operation": "download", "cut": "body"}, 'operation "download" only takes'),
    ({"limit": {"requests": 20}}, "limit.seconds: missing"),
    ({"limit": {"requests": -1, "seconds": 1}}, "limit: requests must be an integer"),
    ({"limit": {"requests": 1, "seconds": 1}, "times": 1}, "unknown field: times"),
]


@pytest.mark.parametrize(("entry", "message"), INVALID)
def test_invalid_entries_are_refused(entry: dict[str, Any], message: str) -> None:
    telnyx = Emulator()
    with pytest.raises(ValueError, match=f"^entry 2: {message}"):
        load_faults(telnyx, json.dumps([{"status": 500}, entry]).encode())
    assert telnyx.pending_faults == ()


def test_all_invalid_entries_are_named() -> None:
    with pytest.raises(ValueError, match=r"entry 1: status must be .*entry 3: cut: off not in"):
        load_faults(Emulator(), b'[{"status": 1}, {}, {"cut": "off"}]')


@pytest.mark.parametrize("raw", [b"", b"{}", b"[3]"])
def test_other_files_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the file must be a JSON list of objects: "):
        load_faults(Emulator(), raw)
