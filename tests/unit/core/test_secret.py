"""A secret is text everywhere but where it would be shown."""

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
        pytest.param("{!r}".format, id="format-r"),
        pytest.param(lambda secret: "%r" % (secret,), id="percent-r"),  # noqa: UP031 - logging formats like this
        pytest.param(ascii, id="ascii"),
        pytest.param(lambda secret: str([secret]), id="list"),
        pytest.param(lambda secret: str((secret,)), id="tuple"),
        pytest.param(lambda secret: str({"Authorization": secret}), id="dict-value"),
        pytest.param(lambda secret: str({secret: 1}), id="dict-key"),
        pytest.param(lambda secret: str([{"headers": {"Authorization": secret}}]), id="nested"),
        pytest.param(lambda secret: str(ValueError(secret).args), id="exception-args"),
    ],
)
def test_the_repr_is_redacted(show: Callable[[Secret], str]) -> None:
    """Every repr of a secret hides its text, also inside what contains it."""
    shown = show(Secret(KEY))
    assert KEY not in shown
    assert "Secret('***')" in shown


def test_it_is_the_text_itself() -> None:
    """A secret can be sent: it equals, hashes and encodes as its text."""
    secret = Secret(KEY)
    assert isinstance(secret, str)
    assert secret == KEY
    assert hash(secret) == hash(KEY)
    assert str(secret) == KEY
    assert secret.encode() == KEY.encode()
    assert f"Bearer {secret}" == f"Bearer {KEY}"


@pytest.mark.parametrize(("given", "text"), [(KEY, KEY), ("", ""), (None, ""), (7, ""), (b"key", "")])
def test_an_argument_is_hidden(given: object, text: str) -> None:
    """An argument becomes a secret; what is no text becomes the empty one."""
    secret = hidden(given)
    assert type(secret) is Secret
    assert secret == text


def test_the_repr_is_that_of_a_secret() -> None:
    """It shows that there is something, and nothing else."""
    assert repr(Secret(KEY)) == "Secret('***')"


@pytest.mark.parametrize("part", [slice(12), slice(0, None), slice(None, None, 2), slice(-4, None)], ids=repr)
def test_a_part_is_a_secret(part: slice) -> None:
    """A tool that cuts long strings before their repr gets a redacted part."""
    assert type(Secret(KEY)[part]) is type(Secret(KEY)[0]) is Secret
    assert Secret(KEY)[part] == KEY[part]
    assert "KEY" not in f"{Secret(KEY)[part]!r}"


@pytest.mark.parametrize("limit", [None, 1, 8, 80])
def test_rich_does_not_show_a_part(limit: int | None) -> None:
    """Rich prints nothing of a secret or of the body that holds it, however short it cuts strings."""
    shown = pretty_repr([Secret(KEY), RefreshBody(refresh_token=KEY)], max_string=limit)
    assert "Secret('***')" in shown
    assert KEY[:1] not in shown.replace("token_ttl_secs", "")


def test_an_empty_secret_is_false() -> None:
    """A secret without text counts as none."""
    assert not Secret("")
    assert Secret("x")


def test_it_takes_no_attributes() -> None:
    """Nothing can be hung on a secret."""
    with pytest.raises(AttributeError):
        Secret(KEY).note = "x"  # type: ignore[attr-defined]  # that there is no such attribute is the point
