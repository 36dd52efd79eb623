"""Secrets: text that is sent as it is and never shown."""

from collections.abc import Callable

import pytest
from rich.pretty import pretty_repr

from telnyx_rooms_async.core.requests import RefreshBody
from telnyx_rooms_async.core.secret import Secret, hidden

KEY = "KEY0123456789_canary"


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param("{!r}".format, id="format"),
        pytest.param(lambda secret: "%r" % (secret,), id="percent"),  # noqa: UP031 - logging formats like this
        pytest.param(ascii, id="ascii"),
        pytest.param(lambda secret: str([{"headers": {"Authorization": (secret,)}}]), id="containers"),
        pytest.param(lambda secret: str({secret: 1}), id="dict key"),
        pytest.param(lambda secret: str(ValueError(secret).args), id="exception"),
    ],
)
def test_repr_is_redacted(show: Callable[[Secret], str]) -> None:
    assert KEY not in show(Secret(KEY))
    assert "***" in show(Secret(KEY))


def test_secret_equals_and_encodes_as_its_text() -> None:
    secret = Secret(KEY)
    assert secret == KEY
    assert hash(secret) == hash(KEY)
    assert secret.encode() == KEY.encode()
    assert f"Bearer {secret}" == f"Bearer {KEY}"
    assert not Secret("")


@pytest.mark.parametrize(("value", "text"), [(KEY, KEY), ("", ""), (None, ""), (7, ""), (b"key", "")])
def test_argument_that_is_not_text_becomes_an_empty_secret(value: object, text: str) -> None:
    assert type(hidden(value)) is Secret
    assert hidden(value) == text


@pytest.mark.parametrize("part", [slice(12), slice(0, None), slice(None, None, 2), slice(-4, None)], ids=repr)
def test_slice_of_a_secret_is_a_secret(part: slice) -> None:
    assert type(Secret(KEY)[part]) is type(Secret(KEY)[0]) is Secret
    assert Secret(KEY)[part] == KEY[part]


@pytest.mark.parametrize("limit", [None, 1, 8, 80])
def test_rich_shows_no_part_of_a_secret(limit: int | None) -> None:
    shown = pretty_repr([Secret(KEY), RefreshBody(refresh_token=KEY)], max_string=limit)
    assert KEY[:1] not in shown.replace("token_ttl_secs", "")
