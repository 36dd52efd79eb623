"""What needs an extra names it when the extra is not installed."""

import subprocess
import sys

import pytest

PACKAGE = "telnyx_rooms_async"


@pytest.mark.parametrize(
    ("extra", "missing", "statement"),
    [
        ("charts", "matplotlib", f"import {PACKAGE}.reports.charts"),
        ("dask", "distributed", f"import {PACKAGE}.integrations.dask"),
        ("otel", "opentelemetry", f"import {PACKAGE}.integrations.opentelemetry"),
        ("redis", "redis", f"import {PACKAGE}.webhooks.redis"),
        ("webhooks", "cryptography", f"import {PACKAGE}.webhooks.testing"),
        ("webhooks", "cryptography", f"from {PACKAGE}.webhooks import Webhooks; Webhooks('')"),
    ],
)
def test_missing_extra_is_named(extra: str, missing: str, statement: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; {statement}"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"pip install 'telnyx-rooms-async[{extra}]'" in result.stderr
