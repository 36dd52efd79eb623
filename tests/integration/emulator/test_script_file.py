"""A script of faults that stands in a file."""

import json
from typing import Any

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault, load_script
from tests.helpers.http_client import HttpClient

SCRIPT = """[
    {"operation": "CreateRoom", "times": 2, "status": 503, "retry_after": 2},
    {"cut": "body", "reset": true, "delay": 0.5, "headers": {"cf-ray": "8a"}},
    {"operation": "ListRooms", "times": null, "status": 500, "after": true, "body": {"message": "Error"}},
    {"operation": null, "body": "<html>"},
    {"limit": {"requests": 3, "seconds": 5}}
]"""


async def test_a_script(telnyx: Emulator, api: HttpClient) -> None:
    """A file says what `script` and `limit` are told."""
    load_script(telnyx, SCRIPT.encode())
    assert telnyx.scripted == (
        Fault(status=503, retry_after=2),
        Fault(cut="body", reset=True, delay=0.5, headers={"cf-ray": "8a"}),
        Fault(status=500, after=True, body={"message": "Error"}),
        Fault(body=b"<html>"),
    )
    answers = [await api.post("rooms", {}) for _ in range(2)]
    assert [(answer.status, answer.headers["x-ratelimit-remaining"]) for answer in answers] == [
        (503, "2"),
        (503, "1"),
    ]


async def test_no_script() -> None:
    """An empty list is a script."""
    telnyx = Emulator()
    load_script(telnyx, b"[]")
    assert telnyx.scripted == ()


WRONG: dict[str, tuple[Any, str]] = {
    "an unknown field": ({"statsu": 1, "when": 2}, "unknown field: statsu, when"),
    "a wrong field": ({"status": 99}, "status must be an integer from 200 to 599, not 99"),
    "a wrong type": ({"delay": "1"}, "delay must be a number of seconds, 0 or more, not '1'"),
    "a contradiction": ({"reset": True}, "reset needs cut"),
    "no such operation": ({"operation": "Create"}, "operation must be"),
    "a wrong kind of operation": ({"operation": ["CreateRoom"]}, "operation must be"),
    "no times": ({"times": 0}, "times must be an integer of 1 or more, or none for all, not 0"),
    "a download that cannot be": (
        {"operation": "download", "cut": "body"},
        'operation "download" only takes',
    ),
    "no limit": ({"limit": 20}, "limit must be an object"),
    "a limit without a time": ({"limit": {"requests": 20}}, "seconds is required"),
    "a limit of nothing": ({"limit": {"seconds": 20}}, "requests is required"),
    "a wrong limit": ({"limit": {"requests": -1, "seconds": 1}}, "requests must be an integer"),
    "more in a limit": ({"limit": {"requests": 1, "seconds": 1, "per": 1}}, "unknown field: per"),
    "more than a limit": ({"limit": {"requests": 1, "seconds": 1}, "times": 1}, "unknown field: times"),
}


@pytest.mark.parametrize(("entry", "told"), WRONG.values(), ids=WRONG)
def test_an_entry_that_cannot_be(entry: Any, told: str) -> None:
    """What is wrong is told with the number of its entry, and nothing is scripted."""
    telnyx = Emulator()
    with pytest.raises(ValueError, match=f"^entry 2: {told}"):
        load_script(telnyx, json.dumps([{"status": 500}, entry]).encode())
    assert telnyx.scripted == ()


def test_all_entries_that_cannot_be() -> None:
    """Each wrong entry is told."""
    with pytest.raises(ValueError, match="status") as caught:
        load_script(Emulator(), b'[{"status": 1}, {}, {"cut": "off"}]')
    assert [problem.partition(" must")[0] for problem in caught.value.args] == [
        "entry 1: status",
        "entry 3: cut",
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "empty"),
        (b"[{]", "malformed"),
        (b"\xff", "malformed"),
        (b"{}", "expected array"),
        (b"[3]", r"\\$\\[0\\]"),
    ],
)
def test_a_file_that_is_no_script(raw: bytes, told: str) -> None:
    """A file must be JSON, and a list."""
    with pytest.raises(ValueError, match=f"^the file must be a JSON list of objects: .*{told}"):
        load_script(Emulator(), raw)
