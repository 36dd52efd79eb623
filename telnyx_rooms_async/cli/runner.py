"""Run a command: one event loop, one client, and an exit code for every outcome."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import update_wrapper
from inspect import Parameter, Signature
from typing import Any, Final, TypeVar, Unpack, cast, get_args, get_origin

import typer
from attrs import evolve

from telnyx_rooms_async import (
    Attempt,
    ConfigurationError,
    DownloadedFile,
    InvalidArgumentError,
    Listing,
    RoomsClient,
    Settings,
    TelnyxRoomsError,
)
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.display import Result, Shown, show, show_list
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, Limit

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Awaitable[Shown | None] | Listing[Any] | None])

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
program_settings: Final = ContextVar[Settings]("program_settings")
"""The options that stand before the command, and the base URL of the command."""


def run(
    use: Callable[[RoomsClient], Awaitable[T]], *, on_attempt: Callable[[Attempt], object] | None = None
) -> T:
    """Use a client in an event loop. A command with a progress bar has an `on_attempt`."""

    async def with_client() -> T:
        # The client's own message recommends `api_key`. There is no such option: `ps` shows a command line.
        if not os.environ.get("TELNYX_API_KEY"):
            raise ConfigurationError("no API key: set TELNYX_API_KEY (`telnyx-rooms demo` needs none)")
        hook = on_attempt if output.is_watched() else None
        async with RoomsClient.from_settings(program_settings.get(), on_attempt=hook) as client:
            return await use(client)

    # Messages about retries explain a delay, unless there is a bar.
    is_shown = output.is_watched() and on_attempt is None
    with output.log_notes() if is_shown else nullcontext():
        return asyncio.run(with_client())


@contextmanager
def exit_codes(*, interrupted: int = INTERRUPTED) -> Generator[None, None, None]:
    """Print an error as one line on stderr, and exit with its code."""
    try:
        yield
    except typer.BadParameter as error:
        error.message = error.message.removeprefix("Value error, ")  # of Pydantic, in Typer 0.29
        raise
    except TelnyxRoomsError as error:
        output.complain(error)
        raise typer.Exit(USAGE if isinstance(error, InvalidArgumentError) else FAILED) from None
    except ExceptionGroup as group:  # `max_failures` is reached, and each failure was printed
        output.complain(group.message)
        raise typer.Exit(FAILED) from None
    except BrokenPipeError:
        output.abandon()
        raise typer.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        output.abandon()
        output.complain(error.strerror or error)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(interrupted) from None


# --- downloads ----------------------------------------------------------------------------------------------


def refuse_stdout_conflicts(target: str) -> None:
    """Refuse to mix a file with other output, or to print it on a terminal."""
    if target == output.STREAM and output.is_json.get():
        raise typer.BadParameter("--json and the target - cannot be combined: both write to stdout")
    if target == output.STREAM and output.stdout().is_terminal:
        raise typer.BadParameter("stdout is a terminal: use a path, or redirect stdout to a file")


async def download(
    method: Callable[..., Awaitable[DownloadedFile]], file_id: str, target: str
) -> Result | None:
    """Download a file, and return its path and size. With ``-`` only the file itself is printed."""
    refuse_stdout_conflicts(target)
    is_stream = target == output.STREAM
    errors = nullcontext() if is_stream else output.file_errors(target)
    with errors, output.download_bar() as on_progress:
        file = await method(file_id, output.Stdout() if is_stream else target, progress=on_progress)
    if is_stream:
        return None
    values = {"path": output.path_text(target), "size": file.size, "content_type": file.content_type}
    return Result(f"downloaded {target} ({file.size} bytes)", values)


# --- commands -----------------------------------------------------------------------------------------------


def command_group(**settings: Any) -> typer.Typer:  # noqa: ANN401 - those of Typer
    """Return a group of commands, with plain help: boxes of 80 columns cut off names of long options."""
    settings = {"no_args_is_help": True, "rich_markup_mode": None, "add_completion": False, **settings}
    return typer.Typer(**settings)


def command(
    group: typer.Typer, name: str | None = None, *, omit: str | None = None
) -> Callable[[Function], Function]:
    """Add a command with the options ``--json`` and ``--base-url`` to a group.

    The parameters of the decorated function are the arguments and options of the command, except `client`: a
    function with this first parameter makes one call to the API, and what it returns is printed.
    ``**options: Unpack[SomeTypedDict]`` is one option per key. Options that are not set are not passed.

    A command that returns a `Listing` also has ``--limit``; `omit` is a column with the same value in every
    row. A function with a ``timeout`` waits for an event, which is announced at a terminal.
    """

    def add(function: Function) -> Function:
        parameters = list(_option_parameters(function))
        result_type = inspect.signature(function).return_annotation

        def run_function(
            *,
            limit: Limit = None,
            as_json: AsJson = False,
            base_url: BaseUrl = None,
            **options: Any,  # noqa: ANN401 - each command has its own
        ) -> None:
            output.is_json.set(as_json)
            program_settings.set(evolve(program_settings.get(), base_url=base_url))
            options = {name: value for name, value in options.items() if value is not None}

            async def use(client: RoomsClient) -> None:
                result = function(client=client, **options)
                if isinstance(result, Listing):
                    (model,) = get_args(result_type)
                    await show_list(result if limit is None else result.limit(limit), model, omit=omit)
                    return
                if "timeout" in options and not as_json and output.is_watched():
                    output.note(f"waiting up to {options['timeout']:g} s; press Ctrl-C to stop")
                if (value := await cast("Awaitable[Shown | None]", result)) is not None:
                    show(value)

            if parameters[0].name == "client":
                run(use)
            else:
                function(**options)

        *common, _ = inspect.signature(run_function).parameters.values()
        if get_origin(result_type) is not Listing:
            del common[0]
        own = [parameter for parameter in parameters if parameter.name != "client"]
        update_wrapper(run_function, function)
        cast("Any", run_function).__signature__ = Signature([*own, *common])
        group.command(name)(run_function)
        return function

    return add


def _option_parameters(function: Callable[..., object]) -> Generator[Parameter, None, None]:
    """Yield the parameters of a function, with one for each key of ``**options: Unpack[SomeTypedDict]``."""
    for parameter in inspect.signature(function).parameters.values():
        if get_origin(parameter.annotation) is not Unpack:
            yield parameter
            continue
        (options,) = get_args(parameter.annotation)
        for name, annotation in options.__annotations__.items():
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
