import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from telnyx_rooms_async import (
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
)
from telnyx_rooms_async.batch import Journal, Outcome
from telnyx_rooms_async.batch.journal import JobIdentity
from telnyx_rooms_async.batch.resumable_run import ResumableRun, digest_of, is_certain_failure


@pytest.mark.parametrize(
    ("item", "other"),
    [
        ({"unique_name": "A", "max_participants": 2}, {"max_participants": 2, "unique_name": "A"}),
        (UUID(int=7), str(UUID(int=7))),
        (("an-id", {"max_participants": 2}), ["an-id", {"max_participants": 2}]),
        (MappingProxyType({"unique_name": "A"}), {"unique_name": "A"}),
    ],
)
def test_same_request_has_the_same_digest(item: object, other: object) -> None:
    assert digest_of(item) == digest_of(other)


def test_digest_is_stable_between_releases() -> None:
    assert digest_of(["an-id", {"unique_name": "Weekly", "max_participants": 2}]) == "aa6dc01b723e9c45"
    assert digest_of("\ud800") == "69aff8d3db26e731"
    assert digest_of({1: 2, "a": 3}) == "75ef385533bb4dc6"


def test_different_items_have_different_digests() -> None:
    items: list[Any] = [None, 1, 1.0, "1", True, {}, [], {"a": None}, {1: 2, "a": 3}, "\ud800", b"1", {1, 2}]
    circular: list[object] = []
    circular.append(circular)
    assert len({digest_of(item) for item in (*items, circular)}) == len(items) + 1


@pytest.mark.parametrize(
    ("error", "is_certain"),
    [
        (InvalidArgumentError(("no id",)), True),
        (NotFoundError(404), True),
        (APIStatusError(400), True),
        (APIStatusError(499), True),
        (APIStatusError(399), False),
        (InternalServerError(500), False),
        (APIStatusError(408), False),
        (RateLimitError(429), False),
        (APITimeoutError(), False),
    ],
)
def test_only_a_client_error_is_a_certain_failure(error: Exception, *, is_certain: bool) -> None:
    assert is_certain_failure(error) is is_certain


async def test_other_tasks_run_while_finished_items_are_skipped(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")

    async def apply(item: int, _started_at: float | None) -> int:
        return item

    def outcomes() -> AsyncGenerator[Outcome[int, int], None]:
        identity = JobIdentity("count", "https://example.com", "an-account")
        run = ResumableRun(
            journal=journal, job=lambda: identity, now=lambda: 0.0, apply=apply, items=range(3_000)
        )
        return run.outcomes(limit=500, ordered=False, max_failures=None)

    assert len([outcome async for outcome in outcomes()]) == 3_000

    async def resume() -> int:
        return len([outcome async for outcome in outcomes()])

    progress = set[int]()
    task = asyncio.create_task(resume())
    while not task.done():
        progress.add(journal.skipped)
        await asyncio.sleep(0)
    assert (await task, journal.skipped) == (0, 3_000)
    assert len(progress) > 4
