import asyncio
import csv
from pathlib import Path

from telnyx_rooms_async import RoomFields, RoomsClient
from telnyx_rooms_async.batch import Journal


async def main() -> None:
    rows = csv.reader(Path("rooms.csv").read_text().splitlines()[1:])
    bodies: list[RoomFields] = [{"unique_name": name, "max_participants": int(most)} for name, most in rows]
    journal = Journal("rooms.journal")
    async with RoomsClient() as client:
        async for outcome in client.rooms.create_many(bodies, concurrency=4, journal=journal):
            print("made" if outcome.ok else "failed", outcome.item, flush=True)
    print(journal.skipped, "were done already")


asyncio.run(main())
