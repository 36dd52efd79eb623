from pathlib import Path

from telnyx_rooms_async.batch import Journal, JournalSummary
from telnyx_rooms_async.batch.journal import ItemRecord, JobIdentity


async def test_records_that_wait_when_the_file_is_closed_are_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    async with journal.open_for(JobIdentity("count", "https://example.com", "an-account"), 0.0) as file:
        for index in range(3):  # the second and third wait for the transaction of the first
            _ = file.write(ItemRecord(index, "a-digest", "open"))
    assert await journal.summary() == JournalSummary(done=0, failed=0, open=3)
