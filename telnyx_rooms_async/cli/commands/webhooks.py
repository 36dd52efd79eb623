"""``telnyx-rooms webhooks``: send signed sample events, and receive events, for local work."""

import asyncio
import logging
import os
import secrets
from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.commands.emulate import SIGNING_KEY, Host, Port, run_server
from telnyx_rooms_async.cli.display import Result, show, text_of
from telnyx_rooms_async.cli.options import AsJson, argument, option
from telnyx_rooms_async.cli.runner import FAILED, command_group
from telnyx_rooms_async.core import validators
from telnyx_rooms_async.emulator import Delivery, Emulator
from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler
from telnyx_rooms_async.models import public_url
from telnyx_rooms_async.serialization import DecodeError, parse_json
from telnyx_rooms_async.webhooks import Event, EventRouter, Webhooks
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES

app: Final = command_group(help="Webhooks for local work: send and receive events.")

_PREFIX: Final = "video.room."
_EVENTS: Final = ", ".join(name.removeprefix(_PREFIX) for name in EVENT_CLASSES)
_SAMPLES: Final = {
    "codec": "vp8",
    "context": "Alice",
    "download_url": "https://example.com/file",
    "duration_secs": 60,
    "ended_reason": "all participants left",
    "format": "mp4",
    "left_reason": "left",
    "resolution": "1280x720",
    "size_mb": 1.3,
    "type": "video",
}
"""Values of payloads by field. The other fields are ids."""
_REDIRECT: Final = "; Telnyx does not follow redirects: is a slash missing at the end of the URL?"
_HANDLER_FAILED: Final = "; an error of a handler is logged by the logger telnyx_rooms_async of the receiver"
_ADVICE: Final = {301: _REDIRECT, 302: _REDIRECT, 307: _REDIRECT, 308: _REDIRECT, 500: _HANDLER_FAILED}
"""What to do, by the status of a receiver."""


@app.command()
def trigger(
    event: Annotated[str, argument("EVENT", "Type of the event, such as session.ended.")],
    *,
    to: Annotated[str, option("URL", "URL of the receiver.")],
    fields: Annotated[
        list[str] | None, option("NAME=VALUE", "Field of the payload, or null. Repeatable.", "--field")
    ] = None,
    event_id: Annotated[str | None, option("ID", "Id of the event. Default: a new one.", "--id")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a signed sample event to a receiver, once.

    The events are session.started, session.ended, participant.joined, participant.left, recording.started,
    recording.completed and composition.completed. Fields without an option have sample values.

    \b
    telnyx-rooms webhooks trigger session.ended --field duration_secs=90
        --to http://localhost:8000/telnyx/

    The event is signed with the private key of TELNYX_SIGNING_KEY. Without it a new pair of keys is made and
    printed: set TELNYX_PUBLIC_KEY for the receiver, and TELNYX_SIGNING_KEY to sign with the same key again.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    output.is_json.set(as_json)
    if problem := validators.url(to):
        raise typer.BadParameter(f"--to {problem}")
    sample = _sample(event, event_id or str(uuid4()), fields or ())
    signer = _signer()
    delivery = asyncio.run(_deliver(signer, sample, to))
    subject = f"{sample.event_type} {sample.id}"
    if not delivery.delivered:
        reason = delivery.failure or f"status {delivery.status}{_ADVICE.get(delivery.status or 0, '')}"
        if delivery.status == HTTPStatus.BAD_REQUEST:
            reason += f"; the receiver must verify with TELNYX_PUBLIC_KEY={signer.public_key}"
        output.complain(f"{public_url(to)} did not accept {subject}: {reason}")
        raise typer.Exit(FAILED)
    values = {"event_type": sample.event_type, "id": sample.id, "status": delivery.status}
    show(Result(f"delivered {subject}: status {delivery.status}", values))


async def _deliver(signer: Emulator, event: Event, url: str) -> Delivery:
    async with signer:
        return await signer.deliver(event, url=url)


def _sample(event_type: str, event_id: str, assignments: Sequence[str]) -> Event:
    """Return an event with sample values, and with those of ``NAME=VALUE``."""
    event_type = _PREFIX + event_type.removeprefix(_PREFIX)
    if event_type not in EVENT_CLASSES:
        raise InvalidArgumentError((f"EVENT must be one of {_EVENTS}; got {event_type!r}",))
    if problem := validators.text(event_id):
        raise InvalidArgumentError((f"--id {problem}",))
    event: dict[str, Any] = {"id": event_id, "event_type": event_type}
    names = list(Event.from_dict(event).to_dict()["payload"])
    payload: dict[str, object] = {name: _SAMPLES.get(name) or str(uuid4()) for name in names}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or name not in names:
            expected = f"--field must be NAME=VALUE, with a name of {', '.join(names)}"
            raise InvalidArgumentError((f"{expected}; got {assignment!r}",))
        if text and (problem := validators.text(text)):
            raise InvalidArgumentError((f"--field {name} {problem}",))
        is_text = isinstance(_SAMPLES.get(name, ""), str) and text != "null"
        try:
            payload[name] = text if is_text else parse_json(text.encode())
        except DecodeError:
            payload[name] = text  # refused below
    try:
        return Event.from_dict({**event, "occurred_at": datetime.now(UTC).isoformat(), "payload": payload})
    except DecodeError as error:
        problems = (f"--field {problem.removeprefix('$.payload.')}" for problem in error.args)
        raise InvalidArgumentError(tuple(problems)) from None


@app.command()
def listen(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8090,
    public_key: Annotated[
        str | None, option("KEY", "Public key that verifies signatures.", envvar="TELNYX_PUBLIC_KEY")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Receive, verify and print webhooks, until Ctrl-C.

    Any path of the URL is accepted. A webhook that is not valid is refused, and the reason is printed.

    The public key is that of TELNYX_PUBLIC_KEY, or else belongs to the private key of TELNYX_SIGNING_KEY.
    Without both, a new pair of keys is made and printed, for trigger and emulate.
    """
    webhooks = Webhooks(public_key or _signer().public_key)
    router = _Deliveries()

    async def print_events(url: str) -> None:
        output.note(f"Listening for webhooks at {url}. Press Ctrl-C to stop.")
        while True:
            event = await router.received.get()
            if as_json:
                output.write_json(event)
                continue
            payload: dict[str, object] = event.to_dict()["payload"]
            fields = [
                f"{name}={'ready' if name == 'download_url' else value}"
                for name, value in payload.items()
                if value is not None
            ]
            words = [event.occurred_at, event.event_type, event.id, *fields]
            output.write_line(" ".join(map(text_of, words)))

    with output.log_notes(logging.INFO):
        run_server(_serve(host, port, aiohttp_handler(router, webhooks)), f"{host}:{port}", print_events)


class _Deliveries(EventRouter):
    """Queues the event of each delivery, also if it was delivered before."""

    def __init__(self) -> None:
        super().__init__()
        self.received: asyncio.Queue[Event] = asyncio.Queue()

    async def dispatch(self, event: Event) -> bool:
        self.received.put_nowait(event)
        return True


@asynccontextmanager
async def _serve(host: str, port: int, handler: Handler) -> AsyncGenerator[str, None]:
    """Serve all paths with a handler. Yields the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield str(URL.build(scheme="http", host=host, port=runner.addresses[0][1]))
    finally:
        await runner.cleanup()


def _signer() -> Emulator:
    """Return an emulator that signs with the key of the environment, or with a new one that is printed."""
    own_key = os.environ.get(SIGNING_KEY)
    key = own_key or b64encode(secrets.token_bytes(32)).decode()
    try:
        signer = Emulator(signing_key=key, deliver_anywhere=True)
        public_key = signer.public_key
    except (ValueError, RuntimeError) as error:  # the key is not valid, or the extra is not installed
        raise ConfigurationError(str(error).replace("signing_key", SIGNING_KEY)) from None
    if not own_key:
        output.note(f"export {SIGNING_KEY}={key}")
        output.note(f"export TELNYX_PUBLIC_KEY={public_key}")
    return signer
