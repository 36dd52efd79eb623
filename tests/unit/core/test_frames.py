"""An exception that leaves the library leaves the library's frames behind."""

import traceback

import pytest

from telnyx_rooms_async.core.frames import drop_frames, without_async_frames, without_frames
from telnyx_rooms_async.errors import ClientClosedError


def functions_of(error: BaseException | None) -> list[str]:
    """Return the names of the functions whose frames an exception carries."""
    assert error is not None
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]


def fail(error: BaseException) -> None:
    """Raise an exception."""
    raise error


@without_frames
def call(error: BaseException) -> None:
    """Raise an exception from a function below."""
    fail(error)


@without_async_frames
async def call_async(error: BaseException) -> None:
    """Raise an exception from a function below."""
    fail(error)


async def test_frames_below_the_boundary_are_removed() -> None:
    """The very exception is raised, and its traceback ends where the library was called."""
    error = ClientClosedError()
    with pytest.raises(ClientClosedError) as caught:
        call(error)
    assert caught.value is error
    assert functions_of(error) == ["test_frames_below_the_boundary_are_removed"]
    with pytest.raises(ClientClosedError):
        await call_async(error)
    assert functions_of(error)[-1] == "test_frames_below_the_boundary_are_removed"


@without_frames
def call_with_handler(*, is_cause: bool) -> None:
    """Raise an exception while another one is handled, or because of it."""
    try:
        fail(KeyError("inner"))
    except KeyError as inner:
        if is_cause:
            raise ClientClosedError from inner
        fail(ClientClosedError())


@pytest.mark.parametrize("is_cause", [False, True])
def test_frames_of_the_chain_are_removed(*, is_cause: bool) -> None:
    """An exception that was handled during the call carries no frame of it either."""
    with pytest.raises(ClientClosedError) as caught:
        call_with_handler(is_cause=is_cause)
    assert isinstance(caught.value.__context__, KeyError)
    assert functions_of(caught.value.__context__) == []
    assert functions_of(caught.value) == ["test_frames_of_the_chain_are_removed"]


def test_what_the_caller_handles_keeps_its_traceback() -> None:
    """An exception that was there before the call is the caller's."""
    with pytest.raises(ClientClosedError) as caught:
        call_while_handling()
    assert functions_of(caught.value.__context__) == ["call_while_handling", "fail"]


def call_while_handling() -> None:
    """Call the library in an ``except``."""
    try:
        fail(LookupError("of the caller"))
    except LookupError:
        call(ClientClosedError())


def test_an_unexpected_exception_has_a_note() -> None:
    """The lines of the removed frames are kept as text, without their locals."""
    with pytest.raises(ZeroDivisionError) as caught:
        call(ZeroDivisionError())
    assert "in fail\n" in caught.value.__notes__[0]


@pytest.mark.parametrize("error", [ClientClosedError(), KeyboardInterrupt()], ids=repr)
def test_an_expected_exception_has_no_note(error: BaseException) -> None:
    """Errors of the library say what there is to say, and an end of the program needs no words."""
    with pytest.raises(type(error)):
        call(error)
    assert not hasattr(error, "__notes__")


def test_an_exception_of_the_boundary_itself_gets_no_note() -> None:
    """Without frames below there are no lines to keep."""
    error = ValueError("wrong")
    try:
        raise error
    except ValueError as caught:
        drop_frames(caught)
    assert getattr(error, "__notes__", []) == []
