"""Secrets: text that is never shown, and exceptions without the frames that may hold it."""

import traceback

import pytest
from rich.pretty import pretty_repr

from telnyx_rooms_async.core.requests import RefreshBody, RoomBody
from telnyx_rooms_async.core.secret import Secret, drop_frames, hidden, without_async_frames, without_frames
from telnyx_rooms_async.errors import ClientClosedError

KEY = "KEY0123456789_canary"

# --- text -------------------------------------------------------------------------------------------------


def test_repr_is_redacted() -> None:
    secret = Secret(KEY)
    percent = "%r" % (secret,)  # noqa: UP031 - logging formats like this
    for shown in (
        repr(secret),
        percent,
        ascii(secret),
        str([{"a": (secret,)}]),
        str(ValueError(secret).args),
    ):
        assert KEY not in shown
        assert "***" in shown


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
    bodies = RefreshBody(refresh_token=KEY), RoomBody(webhook_event_url=f"https://{KEY}@example.com?{KEY}")
    shown = pretty_repr([Secret(KEY), *bodies], max_string=limit)
    assert KEY[:1] not in shown.replace("token_ttl_secs", "")


# --- frames -----------------------------------------------------------------------------------------------


def functions_of(error: BaseException | None) -> list[str]:
    """Return the names of the functions whose frames an exception carries."""
    assert error is not None
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]


def fail(error: BaseException) -> None:
    raise error


@without_frames
def call(error: BaseException) -> None:
    fail(error)


@without_async_frames
async def call_async(error: BaseException) -> None:
    fail(error)


async def test_traceback_ends_where_the_library_was_called() -> None:
    error = ClientClosedError()
    with pytest.raises(ClientClosedError) as caught:
        call(error)
    assert caught.value is error
    assert functions_of(error) == ["test_traceback_ends_where_the_library_was_called"]
    with pytest.raises(ClientClosedError):
        await call_async(error)
    assert functions_of(error)[-1] == "test_traceback_ends_where_the_library_was_called"


@pytest.mark.parametrize("is_cause", [False, True])
def test_chained_exceptions_of_the_library_have_no_traceback(*, is_cause: bool) -> None:
    @without_frames
    def handle() -> None:
        try:
            fail(KeyError("inner"))
        except KeyError as inner:
            if is_cause:
                raise ClientClosedError from inner
            fail(ClientClosedError())

    with pytest.raises(ClientClosedError) as caught:
        handle()
    assert isinstance(caught.value.__context__, KeyError)
    assert functions_of(caught.value.__context__) == []
    assert functions_of(caught.value) == ["test_chained_exceptions_of_the_library_have_no_traceback"]


def test_exception_that_the_caller_handles_keeps_its_traceback() -> None:
    def call_while_handling() -> None:
        try:
            fail(LookupError("of the caller"))
        except LookupError:
            call(ClientClosedError())

    with pytest.raises(ClientClosedError) as caught:
        call_while_handling()
    assert functions_of(caught.value.__context__) == ["call_while_handling", "fail"]


def test_only_an_unexpected_exception_has_the_removed_lines_in_a_note() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        call(ZeroDivisionError())
    assert "in fail\n" in caught.value.__notes__[0]
    for error in (ClientClosedError(), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            call(error)
        assert not hasattr(error, "__notes__")
    error_without_frames = ValueError()
    drop_frames(error_without_frames)
    assert not hasattr(error_without_frames, "__notes__")
