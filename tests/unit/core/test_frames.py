"""Exceptions that leave the library carry none of its frames, which may hold secrets."""

import traceback

import pytest

from telnyx_rooms_async.core.secret import drop_frames, without_async_frames, without_frames
from telnyx_rooms_async.errors import ClientClosedError


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


def test_unexpected_exception_has_the_removed_lines_in_a_note() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        call(ZeroDivisionError())
    assert "in fail\n" in caught.value.__notes__[0]


@pytest.mark.parametrize("error", [ClientClosedError(), KeyboardInterrupt()], ids=repr)
def test_expected_exception_has_no_note(error: BaseException) -> None:
    with pytest.raises(type(error)):
        call(error)
    assert not hasattr(error, "__notes__")


def test_exception_without_frames_below_has_no_note() -> None:
    error = ValueError("wrong")
    try:
        raise error
    except ValueError as caught:
        drop_frames(caught)
    assert not hasattr(error, "__notes__")
