"""What the reference is made of: a docstring for every public name, with its errors and its operation."""

import ast
import builtins
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import pytest

import telnyx_rooms_async
from telnyx_rooms_async import RoomsClient, serialization
from telnyx_rooms_async.core.endpoints import ENDPOINTS

FRONTS = (
    "",
    ".emulator",
    ".integrations.opentelemetry",
    ".pytest_plugin",
    ".webhooks.redis",
    ".webhooks.testing",
    ".integrations.aiohttp_web",
    ".integrations.asgi",
    ".core.page_scan",
    ".core.protocol",
)
"""Where users import from."""
RESOURCES = [
    type(value) for value in vars(RoomsClient("KEY")).values() if ".resources." in type(value).__module__
]
OPERATIONS = {endpoint.operation for endpoint in ENDPOINTS}
MAKERS = ("__init__", "__new__", "__attrs_post_init__")
"""Their errors stand in the docstring of the class."""


def is_ours(it: object) -> bool:
    """Tell whether something was written here."""
    return str(getattr(it, "__module__", "")).startswith("telnyx_rooms_async")


def names_of(front: str) -> Iterator[tuple[str, object]]:
    """List the public names of a module, and what they mean."""
    module = import_module(f"telnyx_rooms_async{front}")
    listed = getattr(module, "__all__", None)
    for name in listed or vars(module):
        if name.startswith("_"):
            continue
        it = getattr(module, name)
        if listed or getattr(it, "__module__", "") == module.__name__:
            yield f"{module.__name__}.{name}", it


def functions_of(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """List the functions of a class and of ours that it inherits from: methods, properties and makers."""
    for base in filter(is_ours, kind.__mro__):
        for name, member in vars(base).items():
            it = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if inspect.isfunction(it) and is_ours(it) and (name in MAKERS or not name.startswith("_")):
                yield name, it


def documented() -> Iterator[tuple[str, str | None, list[Callable[..., object]]]]:
    """List what needs a docstring: its name, its docstring, and the functions whose errors that tells."""
    classes: dict[str, type] = {f"telnyx_rooms_async.{kind.__name__}": kind for kind in RESOURCES}
    for front in FRONTS:
        for name, it in names_of(front):
            if inspect.isclass(it):
                classes[name] = it
            elif inspect.isfunction(it):
                yield name, it.__doc__, [it]
    for name, kind in classes.items():
        functions = list(functions_of(kind))
        yield name, kind.__doc__, [it for made, it in functions if made in MAKERS]
        for member, it in functions:
            if member not in MAKERS:
                yield f"{name}.{member}", it.__doc__, [it]


def raised_by(it: Callable[..., object]) -> set[str]:
    """Read which errors a function raises itself: their names, where they are made in place."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(it)))
    except OSError:
        return set()  # attrs wrote it
    calls = [
        node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    told = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    return {name for name in told if name[:1].isupper()}


def section(docstring: str) -> dict[str, str]:
    """Read the section of the errors: names and reasons."""
    (_, found, rest) = inspect.cleandoc(docstring).partition("\nRaises:\n")
    text = re.split(r"\n\n|\n(?=\S)", rest)[0] if found else ""
    return dict(re.findall(r"^    (\w+): (.+)$", text, re.MULTILINE))


NAMES = {name: (docstring, functions) for name, docstring, functions in documented()}


def test_nothing_is_left_out() -> None:
    """What is looked at is the whole of what users see."""
    assert len(NAMES) > 200
    assert {f"telnyx_rooms_async.{name}" for name in telnyx_rooms_async.__all__} - {
        "telnyx_rooms_async.UNSET",
        "telnyx_rooms_async.__version__",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_explained_with_its_errors(name: str) -> None:
    """A public name has a docstring of one line and more, which names the errors that are raised there."""
    docstring, functions = NAMES[name]
    assert docstring, "no docstring"
    first = docstring.strip().splitlines()[0]
    assert first.endswith((".", ":")), first
    raised = set[str]().union(*map(raised_by, functions))
    assert raised <= set(section(docstring)), "raised, and not told"


@pytest.mark.parametrize("name", NAMES)
def test_every_error_that_is_told_exists(name: str) -> None:
    """The errors of a docstring are public, or Python's own, and each has its reason."""
    docstring = NAMES[name][0] or ""
    told = section(docstring)
    assert bool(told) == ("Raises:" in docstring)
    for error in told:
        kinds = [getattr(home, error, None) for home in (telnyx_rooms_async, serialization, builtins)]
        assert any(inspect.isclass(kind) and issubclass(kind, BaseException) for kind in kinds), error


VERBS = {
    f"{kind.__name__}.{name}": it.__doc__ or ""
    for kind in RESOURCES
    for name, it in functions_of(kind)
    if name not in MAKERS
}


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_names_its_operation_and_its_errors(name: str) -> None:
    """A verb says which operations of Telnyx it is, and what may go wrong, itself or by another verb."""
    other = re.search(r"errors are those of `+(?:client\.(\w+)\.)?(\w+)`", VERBS[name])
    noun = (other[1] or "").title() if other else ""
    assert section(VERBS[f"{noun or name.partition('.')[0]}.{other[2]}"] if other else VERBS[name])
    told = re.search(r"Telnyx operations?: ([\w, ]+)\.$", VERBS[name].strip())
    assert told, "no operation"
    assert set(re.findall(r"\w+", told[1])) - {"and"} <= OPERATIONS


def test_every_operation_has_its_verb() -> None:
    """The docstrings name all operations of the API."""
    told = {
        name
        for verb in VERBS.values()
        for line in verb.splitlines()[-2:]
        for name in re.findall(r"\w+", line)
    }
    assert told >= OPERATIONS


CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()


def resolve(dotted: str) -> object:
    """Find what a fully qualified name means; of a class, also what its instances have."""
    found: object = telnyx_rooms_async
    path = "telnyx_rooms_async"
    for name in dotted.split(".")[1:]:
        path = f"{path}.{name}"
        if inspect.isclass(found) and not hasattr(found, name):
            found = get_type_hints(found)[name]
        elif inspect.ismodule(found) and not hasattr(found, name):
            found = import_module(path)
        else:
            found = getattr(found, name)
    return found


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(telnyx_rooms_async\.[\w.]+)", CHANGELOG))))
def test_the_changelog_speaks_of_what_there_is(name: str) -> None:
    """Each name of the changelog can be imported, or is had by what can be."""
    assert resolve(name) is not None


def test_the_changelog_begins_with_this_version() -> None:
    """The newest entry with a number is that of the distribution."""
    released = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)
    assert released[0] == version("telnyx-rooms-async")
