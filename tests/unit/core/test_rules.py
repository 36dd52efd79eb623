"""Rules for what a user passes that is neither sent nor stored."""

from collections.abc import AsyncIterator
from functools import partial, partialmethod
from unittest.mock import Mock

import pytest

from telnyx_rooms_async.core.validators import is_async_callable


async def _async_hook(*_: object) -> None: ...


async def _async_generator_hook(*_: object) -> AsyncIterator[None]:
    yield


class _AsyncCallable:
    async def __call__(self, *_: object) -> None: ...

    async def method(self, *_: object) -> None: ...

    @staticmethod
    async def static_method(*_: object) -> None: ...

    bound = partialmethod(method, 1)


@pytest.mark.parametrize(
    "hook",
    [
        _async_hook,
        _async_generator_hook,
        _AsyncCallable(),
        _AsyncCallable().method,
        _AsyncCallable().static_method,
        _AsyncCallable().bound,
        partial(_async_hook, 1),
        partial(partial(_AsyncCallable(), 1), 2),
    ],
    ids=lambda hook: type(hook).__name__,
)
def test_async_callables_of_every_kind_are_recognized(hook: object) -> None:
    """A call of each of these runs nothing by itself."""
    assert is_async_callable(hook)


@pytest.mark.parametrize(
    "hook", [print, [].append, lambda: 0, partial(print, 1), _AsyncCallable, Mock(), None, 7]
)
def test_what_a_plain_call_completes_is_no_async_callable(hook: object) -> None:
    """Neither a class of such objects nor a value that cannot be called is one."""
    assert not is_async_callable(hook)
