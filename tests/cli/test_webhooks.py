"""``telnyx-rooms webhooks``: sample events and a receiver, over real sockets."""

import asyncio
import json
import shlex
import signal
import socket
import subprocess
import sys

import pytest

from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.webhooks import Webhooks
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES
from tests.helpers.command_line import ED25519, Run, Start
from tests.helpers.webhook_listener import listen_for_webhooks

KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="


def read_start(process: subprocess.Popen[str], lines: int = 1) -> tuple[dict[str, str], str]:
    """Return the variables that are printed on stderr, and the URL."""
    assert process.stderr is not None
    *exports, listening = (process.stderr.readline() for _ in range(lines))
    variables = dict(shlex.split(line)[1].split("=", maxsplit=1) for line in exports)
    return variables, listening.split()[4].removesuffix(".")


def test_event_is_received_verified_and_printed(run: Run, start: Start) -> None:
    listener = start("webhooks", "listen", "--port", "0", "--json")
    variables, url = read_start(listener, 3)
    values = ("room_id=a-room", "duration_secs=90", "context=null", "context=7", "left_reason=null")
    fields = [word for value in values for word in ("--field", value)]
    result = run("webhooks", "trigger", "participant.left", "--to", f"{url}/any/path", *fields, **variables)
    assert result.stderr == ""
    assert listener.stdout is not None
    event = json.loads(listener.stdout.readline())
    assert result.stdout == f"delivered video.room.participant.left {event['id']}: status 200\n"
    assert event["event_type"] == "video.room.participant.left"
    payload = event["payload"]
    assert (payload["room_id"], payload["duration_secs"], payload["context"]) == ("a-room", 90, "7")
    assert payload["left_reason"] is None
    other = run("webhooks", "trigger", "session.started", "--to", url, TELNYX_SIGNING_KEY=KEY)
    assert other.exit_code == 1
    public_key = Emulator(signing_key=KEY).public_key
    assert other.stderr.endswith(
        f"status 400; the receiver must verify with TELNYX_PUBLIC_KEY={public_key}\n"
    )
    assert listener.stderr is not None
    assert listener.stderr.readline() == (
        "webhook rejected: the signature of the webhook is not valid: it was made with another key, or for"
        " another body\n"
    )
    listener.send_signal(signal.SIGINT)
    assert listener.communicate() == ("", "")
    assert listener.returncode == 0


def test_every_delivery_is_printed_in_one_line(run: Run, start: Start) -> None:
    listener = start("webhooks", "listen", "--port", "0", TELNYX_SIGNING_KEY=KEY)
    _, url = read_start(listener)
    assert listener.stdout is not None
    for _ in range(2):
        command = ("webhooks", "trigger", "video.room.recording.completed", "--to", url, "--id", "1")
        result = run(*command, "--json", TELNYX_SIGNING_KEY=KEY)
        assert json.loads(result.stdout) == {
            "event_type": "video.room.recording.completed",
            "id": "1",
            "status": 200,
        }
        _, event_type, event_id, *fields = listener.stdout.readline().split(" ")
        assert (event_type, event_id) == ("video.room.recording.completed", "1")
        assert {"codec=vp8", "download_url=ready", "size_mb=1.3", "type=video"} <= {
            field.strip() for field in fields
        }
    listener.send_signal(signal.SIGTERM)
    assert listener.communicate() == ("", "")
    assert listener.returncode == 0


async def test_sample_of_every_event_has_a_value_in_every_field(run: Run) -> None:
    webhooks = Webhooks(Emulator(signing_key=KEY).public_key)
    async with listen_for_webhooks() as receiver:
        for event_type, event_class in EVENT_CLASSES.items():
            command = ("webhooks", "trigger", event_type, "--to", receiver.url)
            result = await asyncio.to_thread(run, *command, TELNYX_SIGNING_KEY=KEY)
            assert result.exit_code == 0
            received = receiver.received[-1]
            event = webhooks.unwrap(received.body, received.headers)
            assert isinstance(event, event_class)
            assert None not in event.to_dict()["payload"].values()


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (307, "Telnyx does not follow redirects: is a slash missing at the end of the URL?"),
        (500, "an error of a handler is logged by the logger telnyx_rooms_async of the receiver"),
    ],
)
async def test_status_of_the_receiver_is_explained(run: Run, status: int, advice: str) -> None:
    async with listen_for_webhooks() as receiver:
        receiver.statuses["/telnyx"] = [status]
        command = ("webhooks", "trigger", "session.ended", "--to", f"{receiver.url}/telnyx")
        result = await asyncio.to_thread(run, *command, TELNYX_SIGNING_KEY=KEY)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"status {status}; {advice}\n")


def test_new_keys_are_printed_and_belong_together(run: Run) -> None:
    result = run("webhooks", "trigger", "session.ended", "--to", "http://127.0.0.1:9/hook?key=secret")
    private, public, error = result.stderr.splitlines()
    key = private.removeprefix("export TELNYX_SIGNING_KEY=")
    assert public == f"export TELNYX_PUBLIC_KEY={Emulator(signing_key=key).public_key}"
    assert error.startswith("error: http://127.0.0.1:9/hook?*** did not accept video.room.session.ended ")
    assert error.endswith(": no connection")
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["session.stopped"], "EVENT must be one of session.started, session.ended, participant.joined, "),
        (["session.ended", "--field", "roomid=1"], "with a name of room_id, session_id, duration_secs, "),
        (["session.ended", "--field", "room_id"], "--field must be NAME=VALUE"),
        (["session.ended", "--field", "duration_secs=long"], "--field duration_secs: expected integer"),
        (
            ["session.ended", "--field", "duration_secs=\udcff"],
            "--field duration_secs must be a non-empty Un",
        ),
        (["participant.left", "--field", "context=\udcff"], "--field context must be a non-empty Unicode"),
        (["session.ended", "--id", "\udcff"], "--id must be a non-empty Unicode string, not '\\udcff'"),
        (["session.ended", "--to", "localhost:8000"], "--to must be "),
        (["session.ended", "--to", "http://localhost:port"], "--to must be "),
    ],
)
def test_invalid_options_send_nothing(run: Run, options: list[str], problem: str) -> None:
    result = run("webhooks", "trigger", "--to", "http://127.0.0.1:9/", *options, TELNYX_SIGNING_KEY=KEY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in " ".join(result.stderr.replace("│", "").split())


@pytest.mark.parametrize("command", ["trigger session.ended --to http://127.0.0.1:9/", "listen", "emulate"])
def test_invalid_signing_key_is_one_line(run: Run, command: str) -> None:
    group = [] if command == "emulate" else ["webhooks"]
    result = run(*group, *command.split(), TELNYX_SIGNING_KEY="KEY-of-an-account")
    assert (result.exit_code, result.stdout) == (2 if command == "emulate" else 1, "")
    assert result.stderr == "error: TELNYX_SIGNING_KEY must be 32 bytes in base64\n"


def test_listener_needs_a_valid_public_key_and_a_free_port(run: Run) -> None:
    result = run("webhooks", "listen", "--public-key", "KEY1")
    assert (result.exit_code, "a public key must be 32 bytes" in result.stderr) == (1, True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = run("webhooks", "listen", "--port", port, TELNYX_SIGNING_KEY=KEY)
    reason = f"cannot listen on 127.0.0.1:{port}: Address already in use; use --port 0 for a free port"
    assert (result.exit_code, result.stderr) == (1, f"error: {reason}\n")


@pytest.mark.parametrize("command", ["listen", "trigger session.ended --to http://127.0.0.1:9/"])
def test_without_the_extra_the_error_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, ED25519, None)  # it cannot be imported
    result = run("webhooks", *command.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pip install 'telnyx-rooms-async[webhooks]'" in result.stderr.splitlines()[-1]


def test_listener_prints_the_events_of_an_emulator_until_its_output_is_closed(run: Run, start: Start) -> None:
    listener = start("webhooks", "listen", "--port", "0", "--json", TELNYX_SIGNING_KEY=KEY)
    _, url = read_start(listener)
    emulator = start("emulate", "--port", "0", "--history", "7", TELNYX_SIGNING_KEY=KEY)
    assert emulator.stdout is not None
    account = dict(shlex.split(emulator.stdout.readline())[1].split("=", maxsplit=1) for _ in range(3))
    assert account["TELNYX_PUBLIC_KEY"] == Emulator(signing_key=KEY).public_key
    (session,) = map(json.loads, run("sessions", "list", "--active", "--json", **account).stdout.splitlines())
    run("rooms", "update", session["room_id"], "--webhook-event-url", url, **account)
    assert run("sessions", "end", session["id"], **account).exit_code == 0
    assert listener.stdout is not None
    events = [json.loads(listener.stdout.readline()) for _ in range(2)]
    assert {event["payload"]["session_id"] for event in events} == {session["id"]}
    listener.stdout.close()
    run("webhooks", "trigger", "session.ended", "--to", url, TELNYX_SIGNING_KEY=KEY)
    assert listener.wait() == 141
    assert listener.stderr is not None
    assert listener.stderr.read() == ""
