"""What needs an extra names it when the extra is not installed."""

import subprocess
import sys

STATEMENTS = {
    "from telnyx_rooms_async.reports import charts": "charts",
    "from telnyx_rooms_async.integrations import dask": "dask",
    "from telnyx_rooms_async.integrations import opentelemetry": "otel",
    "from telnyx_rooms_async.webhooks import redis": "redis",
    "from telnyx_rooms_async.webhooks import testing": "webhooks",
    "from telnyx_rooms_async.webhooks import Webhooks; Webhooks('')": "webhooks",
}
"""The extra that each statement needs."""
PROGRAM = f"""
import sys
for name in ("cryptography", "distributed", "matplotlib", "opentelemetry", "redis"):
    sys.modules[name] = None
for statement in {list(STATEMENTS)}:
    try:
        exec(statement)
    except Exception as error:
        print(error)
"""


def test_missing_extra_is_named() -> None:
    command = [sys.executable, "-c", PROGRAM]
    messages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for message, extra in zip(messages, STATEMENTS.values(), strict=True):
        assert message.endswith(f"pip install 'telnyx-rooms-async[{extra}]'")
