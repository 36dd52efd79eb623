"""``recordings export``: all files into a folder, each once."""

import os
from pathlib import Path

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, SmallDisk, Terminal, Turn


@pytest.fixture
def files(telnyx: Emulator, objects: Objects, turn: Turn, ids: list[str]) -> dict[str, bytes]:
    """The files of four recordings by their names in the folder."""
    (room,) = objects("rooms", "create", "--enable-recording")
    person = telnyx.join(room["id"])
    turn(30)
    telnyx.leave(person.id)
    turn(5)
    found = objects("recordings", "list")
    telnyx.requests.clear()
    ending = {"audio": "ogg", "video": "webm"}
    return {
        f"{recording['id']}.{ending[recording['type']]}": bytes(telnyx.media(recording["id"]))
        for recording in found
    }


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def link_of(run: Run, recording_id: str) -> str:
    """Return the link to the file of a recording."""
    shown = run("recordings", "retrieve", recording_id, "--json").stdout
    return shown.partition('"download_url":"')[2].partition('"')[0]


def downloads(telnyx: Emulator) -> int:
    """Count the downloads."""
    return sum(request.path.startswith("/v2/room_recordings/") for request in telnyx.requests)


def test_all_files_are_downloaded(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    folder = tmp_path / "new" / "folder"
    result = run("recordings", "export", str(folder))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"downloaded 4 recordings to {folder}\n"
    assert files_in(folder) == files
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_complete_files_are_not_downloaded_again(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    first, *_ = files
    run("recordings", "export", str(tmp_path))
    (tmp_path / first).unlink()
    telnyx.requests.clear()
    result = run("recordings", "export", str(tmp_path))
    assert result.stdout == f"downloaded 1 recording to {tmp_path}, 3 skipped\n"
    assert downloads(telnyx) == 1
    assert files_in(tmp_path) == files
    assert run("recordings", "export", str(tmp_path), "--json").stdout == (
        '{"downloaded":0,"skipped":4,"failed":0}\n'
    )


def test_skipped_files_do_not_count_for_the_rate(
    run: Run, at_terminal: Terminal, tmp_path: Path, files: dict[str, bytes]
) -> None:
    run("recordings", "export", str(tmp_path))
    shown = at_terminal("recordings", "export", str(tmp_path), columns=200)
    assert f"{len(files)}/{len(files)}" in shown
    assert "/s" not in shown
    assert "-1 day" not in shown


def test_only_matching_recordings_are_downloaded(run: Run, tmp_path: Path, files: dict[str, bytes]) -> None:
    assert run("recordings", "export", str(tmp_path), "--type", "audio").exit_code == 0
    assert files_in(tmp_path) == {name: data for name, data in files.items() if name.endswith("ogg")}


@pytest.mark.parametrize("size", [0, -1, 1])
def test_file_of_another_size_is_downloaded_again(
    run: Run, tmp_path: Path, files: dict[str, bytes], size: int
) -> None:
    first, *_ = files
    run("recordings", "export", str(tmp_path))
    length = len(files[first]) + size if size else 0
    (tmp_path / first).write_bytes(files[first].ljust(length, b"x")[:length])
    result = run("recordings", "export", str(tmp_path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"downloaded 1 recording to {tmp_path}, 3 skipped\n"
    assert files_in(tmp_path) == files


def test_other_files_named_after_a_recording_are_kept(
    run: Run, tmp_path: Path, files: dict[str, bytes]
) -> None:
    first, *_ = files
    recording_id = first.partition(".")[0]
    notes = {f"{recording_id}.txt": b"notes", recording_id: b"more notes", f"{first}.bak": b"a copy"}
    for name, data in notes.items():
        (tmp_path / name).write_bytes(data)
    result = run("recordings", "export", str(tmp_path))
    assert result.stdout == f"downloaded 4 recordings to {tmp_path}\n"
    assert files_in(tmp_path) == files | notes


@pytest.mark.parametrize(
    "recording_id", ["a" * 255, "a" * 300, "../x", "a/b", ".hidden", "a.webm", "a\nb", ".", ""]
)
def test_id_that_cannot_be_a_file_name_fails_alone(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes], recording_id: str
) -> None:
    first, *_ = files
    real = first.partition(".")[0]
    about = '{{"id": "{}", "status": "completed", "download_url": "http://127.0.0.1:1/"}}'
    listed = ",".join(about.format(each.replace("\n", "\\n")) for each in (recording_id, real))
    page = f'{{"data": [{listed}], "meta": {{"total_results": 2, "total_pages": 1, "page_number": 1}}}}'
    telnyx.inject(Fault(status=200, body=page), operation="ListRoomRecordings", times=None)
    one = telnyx.media(real)
    found = f'{{"data": {about.format(recording_id)}}}'.replace("http://127.0.0.1:1/", link_of(run, real))
    if recording_id.isalnum():
        telnyx.inject(
            Fault(status=200, body=found),
            operation="ViewRoomRecording",
            when=lambda request: request.path.endswith(recording_id),
        )
    result = run("recordings", "export", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, f"downloaded 1 recording to {tmp_path}, 1 failed\n")
    assert result.stderr.count("error: ") == 1
    assert result.stderr.count("\n") == 2
    assert files_in(tmp_path) == {first: bytes(one)}


def test_failed_file_is_downloaded_by_the_next_run(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    first, *_ = files
    telnyx.media(first.partition(".")[0]).cut_after = 0
    result = run("recordings", "export", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == f"downloaded 3 recordings to {tmp_path}, 1 failed\n"
    assert result.stderr.startswith(f"error: {first.partition('.')[0]}: ")
    assert result.stderr.endswith("\nrun the same command again to continue\n")
    assert files_in(tmp_path).keys() == files.keys() - {first}
    telnyx.media(first.partition(".")[0]).cut_after = None
    assert run("recordings", "export", str(tmp_path)).exit_code == 0
    assert files_in(tmp_path) == files


def test_recording_that_is_not_completed_is_a_failure(
    run: Run, objects: Objects, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    (room,) = objects("rooms", "create", "--enable-recording")
    telnyx.join(room["id"])
    result = run("recordings", "export", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, f"downloaded 4 recordings to {tmp_path}, 2 failed\n")
    *errors, _ = result.stderr.splitlines()
    reason = "is processing: there is no file to download yet"
    processing = objects("recordings", "list", "--status", "processing")
    assert sorted(errors) == sorted(f"error: {recording['id']} {reason}" for recording in processing)
    assert run("recordings", "export", str(tmp_path), "--status", "completed").exit_code == 0


def test_abandoned_temporary_files_are_removed(run: Run, tmp_path: Path, files: dict[str, bytes]) -> None:
    name = ".telnyx-rooms-{}.part"
    ours = [name.format("0123456789abcdef"), name.format("f" * 16)]
    others = [".a.part", ".a.0123abcd.part", name.format("0" * 15), name.format("g" * 16), ours[0][1:]]
    for old in (*ours, *others):
        (tmp_path / old).write_bytes(b"x")
        os.utime(tmp_path / old, (0, 0))
    recent, link = name.format("b" * 16), name.format("c" * 16)
    (tmp_path / recent).write_bytes(b"x")
    (tmp_path / link).symlink_to(others[0])
    assert run("recordings", "export", str(tmp_path)).exit_code == 0
    left = {*others, recent, link}
    assert files_in(tmp_path) == {**files, **dict.fromkeys(left, b"x")}


@pytest.mark.parametrize("name", ["file", "file/folder", "/proc/nowhere"])
def test_folder_that_cannot_be_used_is_one_line(
    run: Run, telnyx: Emulator, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    result = run("recordings", "export", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: cannot write to {tmp_path / name}: ")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


def test_folder_with_the_name_of_a_file_is_one_line(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    first, *_ = files

    def take(_: object) -> bool:
        (tmp_path / first).mkdir(exist_ok=True)
        return False

    telnyx.inject(Fault(status=500), operation="download", times=None, when=take)
    result = run("recordings", "export", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: cannot write to {tmp_path}: Is a directory\n")
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


def test_full_disk_ends_the_export(
    on_a_small_disk: SmallDisk, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    for name in files:
        telnyx.media(name.partition(".")[0]).size = 1_000_000
    result = on_a_small_disk(100, "recordings", "export", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr == f"error: cannot write to {tmp_path}: File too large\n"
    assert files_in(tmp_path) == {}


def test_refused_key_is_reported_once(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    result = run("recordings", "export", str(tmp_path), TELNYX_API_KEY="KEYwrong")
    assert result.exit_code == 1
    assert result.stderr.count("401 Authentication failed") == 1


def test_export_stops_after_max_failures(
    run: Run, telnyx: Emulator, tmp_path: Path, files: dict[str, bytes]
) -> None:
    telnyx.inject(Fault(status=404), times=4, operation="ViewRoomRecording")
    command = ["recordings", "export", str(tmp_path), "--max-failures", "1", "--concurrency", "1"]
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: stopped after 1 failure" in result.stderr
    assert f"stopped: downloaded 0 recordings to {tmp_path}, 1 failed; run the same command" in result.stderr
    assert downloads(telnyx) == 1
