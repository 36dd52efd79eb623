from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from telnyx_rooms_async.batch import Journal, JournalSummary
from telnyx_rooms_async.batch.journal import ItemRecord, JobIdentity
from telnyx_rooms_async.batch.operations import digest_of


async def test_all_records_are_written_when_the_file_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    async with journal.open_for(JobIdentity("count", "https://example.com", "an-account"), 0.0) as file:
        for index in range(3):  # no future is awaited
            _ = file.write(ItemRecord(index, "a-digest", "open"))
    assert await journal.summary() == JournalSummary(done=0, failed=0, open=3)


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
