"""The examples in docstrings: they run, and print what they show."""

import builtins
import doctest
import inspect
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout
from importlib import import_module

import pytest
from distributed import Client, LocalCluster

from telnyx_rooms_async import Listing, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.webhooks import RoomSessionEnded, SessionEndedPayload
from tests.docs.test_public_api import CLASSES, DOCSTRINGS, MODULES, RESOURCES
from tests.helpers.guides import run

EXAMPLES = {
    name: example
    for name, (docstring, _) in DOCSTRINGS.items()
    if (example := inspect.cleandoc(docstring).partition("\nExample:\n")[2])
}
OWNERS = {f"telnyx_rooms_async.{cls.__name__}" for cls in (*RESOURCES, Listing, RoomsClient)}
OWNERS |= {"telnyx_rooms_async.webhooks.EventRouter", "telnyx_rooms_async.webhooks.Webhooks"}
VERBS = {name for name in DOCSTRINGS if name.rpartition(".")[0] in OWNERS}


def test_every_public_class_and_operation_has_an_example() -> None:
    """A subclass shares the example of its base class: errors, models and events have one for the family."""
    missing = {
        name
        for name, cls in CLASSES.items()
        if not any(
            "\nExample:\n" in inspect.cleandoc(vars(base).get("__doc__") or "") for base in cls.__mro__
        )
    }
    # A protocol that users implement, what `asgi_app` returns, and classes below the client.
    missing -= {"telnyx_rooms_async.webhooks.EventStore", "telnyx_rooms_async.integrations.asgi.WebhookApp"}
    missing -= {"telnyx_rooms_async.core.page_scan.Scan", "telnyx_rooms_async.serialization.Envelope"}
    missing -= {f"telnyx_rooms_async.core.protocol.{name}" for name in ("Extras", "PageQuery")}
    missing |= VERBS - EXAMPLES.keys()
    assert missing == set()


async def namespace(telnyx: Emulator, client: RoomsClient) -> dict[str, object]:
    """Return what examples use without an import: all public names, and objects of an account."""
    names: dict[str, object] = {}
    for module in (
        "asyncio",
        "datetime",
        "decimal",
        "os",
        *(f"telnyx_rooms_async{suffix}" for suffix in MODULES),
    ):
        public = vars(import_module(module)).items()
        names |= {name: value for name, value in public if not name.startswith("_")}
    daily = await client.rooms.create(unique_name="Daily", enable_recording=True)
    bob = telnyx.join(daily.id, context="Bob")
    telnyx.leave(bob.id)
    weekly = await client.rooms.create(unique_name="Weekly")
    alice = telnyx.join(weekly.id, context="Alice")
    assert bob.session_id
    composition = await client.compositions.create(bob.session_id)
    return names | {
        "client": client,
        "telnyx": telnyx,
        "room_id": weekly.id,
        "session_id": alice.session_id,
        "participant": alice,
        "recording": await client.recordings.list(type="video").first(),
        "composition": await client.compositions.wait(composition),
        "event": RoomSessionEnded(id="1", payload=SessionEndedPayload(duration_secs=60)),
        "dask_cluster": dask_cluster,
    }


@asynccontextmanager
async def dask_cluster() -> AsyncIterator[Client]:
    """Yield a client of a cluster in this process."""
    cluster = LocalCluster(n_workers=1, processes=False, asynchronous=True, dashboard_address=":0")
    async with cluster, Client(cluster, asynchronous=True) as connected:
        yield connected


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("name", EXAMPLES)
async def test_examples_run(
    name: str, telnyx: Emulator, client: RoomsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "_", None, raising=False)  # the interactive interpreter sets it
    names = await namespace(telnyx, client)
    statements = doctest.DocTestParser().get_examples(EXAMPLES[name])
    assert statements, "an example has prompts: >>>"
    for statement in statements:
        with redirect_stdout(io.StringIO()) as printed:
            await run(statement.source, names, "single")
        if not doctest.OutputChecker().check_output(statement.want, printed.getvalue(), doctest.ELLIPSIS):
            pytest.fail(f"{statement.source}printed\n{printed.getvalue()}")
