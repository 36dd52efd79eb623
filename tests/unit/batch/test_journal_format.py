"""The lines of a journal, there and back."""

from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ErrorDetail,
    InternalServerError,
    InvalidArgumentError,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
)
from telnyx_rooms_async.batch.journal import (
    Header,
    Ledger,
    State,
    begun_line,
    digest_of,
    done_line,
    failed_line,
    header_line,
    is_certain,
    read_header,
)

HEADER = Header(
    job="create_many", started=1700000000.5, base_url="https://api.telnyx.com/v2", account="5d41402abc4b2a76"
)
DIGEST = digest_of({"unique_name": "Weekly"})


def test_the_header_comes_back() -> None:
    """What is written is what is read, and it is a line."""
    line = header_line(HEADER)
    assert line == (
        b'{"telnyx_rooms_journal":2,"job":"create_many","started":1700000000.5,'
        b'"base_url":"https://api.telnyx.com/v2","account":"5d41402abc4b2a76"}\n'
    )
    assert read_header(line) == HEADER


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"unique_name,max_participants\n", "it is no journal"),
        (b'{"index":0}\n', "it is no journal"),
        (b'{"telnyx_rooms_journal":1,"job":"create_many","started":1}\n', "it is of version 1, not 2"),
        (header_line(HEADER).replace(b'"create_many"', b"7"), "is damaged"),
        (header_line(HEADER).replace(b"1700000000.5", b'"now"'), "is damaged"),
        (header_line(HEADER).replace(b'"https://api.telnyx.com/v2"', b"null"), "is damaged"),
        (header_line(HEADER).replace(b'"5d41402abc4b2a76"', b"7"), "is damaged"),
        (b'{"telnyx_rooms_journal":2\n', "is damaged"),
    ],
)
def test_another_header_is_refused(line: bytes, problem: str) -> None:
    """A file of another kind or another time is not taken for a journal."""
    with pytest.raises(ValueError, match=f"^{problem}$"):
        read_header(line)


@pytest.mark.parametrize("key_rotated", [False, True])
def test_a_journal_goes_on_with_the_same_job(*, key_rotated: bool) -> None:
    """When it was begun does not matter."""
    assert HEADER.mismatch(evolve(HEADER, started=1.0), key_rotated=key_rotated) is None


@pytest.mark.parametrize("key_rotated", [False, True])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"job": "delete_many"}, "it is of another job: create_many, not delete_many"),
        (
            {"base_url": "https://example.com"},
            "it was begun at https://api.telnyx.com/v2, not at https://example.com: use another journal here",
        ),
        (
            {"base_url": "https://example.com", "account": "b"},
            "it was begun at https://api.telnyx.com/v2, not",
        ),
    ],
)
def test_a_journal_of_another_job_or_place(
    change: dict[str, Any], problem: str, *, key_rotated: bool
) -> None:
    """It is not continued, whatever the key."""
    told = HEADER.mismatch(evolve(HEADER, **change), key_rotated=key_rotated)
    assert (told or "").startswith(problem)


def test_a_journal_of_another_key() -> None:
    """It is continued when the key is known to be another of the same account; else the error says how."""
    other = evolve(HEADER, account="b")
    told = HEADER.mismatch(other, key_rotated=False) or ""
    assert told.startswith("it was begun at https://api.telnyx.com/v2 with another API key: ")
    assert "key_rotated=True" in told
    assert "--key-rotated" in told
    assert HEADER.account not in told
    assert HEADER.mismatch(other, key_rotated=True) is None


def test_the_lines() -> None:
    """Each line tells of one item what a person can read too; a room that has no id is not told."""
    error = NotFoundError(404)
    assert begun_line(0, DIGEST) == b'{"index":0,"digest":"%b","state":"begun"}\n' % DIGEST.encode()
    assert done_line(1, DIGEST, "an-id") == (
        b'{"index":1,"digest":"%b","state":"done","room_id":"an-id"}\n' % DIGEST.encode()
    )
    assert done_line(1, DIGEST, None) == b'{"index":1,"digest":"%b","state":"done"}\n' % DIGEST.encode()
    assert failed_line(2, DIGEST, error, may_be_done=False) == (
        b'{"index":2,"digest":"%b","state":"failed","error":"NotFoundError",'
        b'"status":404,"code":null,"sure":true}\n' % DIGEST.encode()
    )


def test_the_ledger_knows_how_far_each_item_is() -> None:
    """The newest line counts; a failure that may have been carried out is as open as a beginning."""
    ledger = Ledger()
    error = NotFoundError(404)
    for line in (
        begun_line(0, DIGEST),
        begun_line(1, DIGEST),
        begun_line(2, DIGEST),
        begun_line(3, DIGEST),
        done_line(1, DIGEST, "an-id"),
        failed_line(2, DIGEST, error, may_be_done=False),
        failed_line(3, DIGEST, error, may_be_done=True),
    ):
        ledger.read(line)
    states = [ledger.state_of(index, DIGEST) for index in range(5)]
    assert states == [State.OPEN, State.DONE, State.FAILED, State.OPEN, None]
    ledger.read(begun_line(2, DIGEST))
    assert ledger.state_of(2, DIGEST) is State.OPEN
    assert len(ledger) == 4


def test_another_item_is_found_out() -> None:
    """An item of the same place with other content is of other input."""
    ledger = Ledger()
    ledger.read(begun_line(0, DIGEST))
    with pytest.raises(ValueError, match="item 0 is another one"):
        ledger.state_of(0, digest_of("another"))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"null\n",
        b'{"index":1,"digest":"9f86d081884c7d65","state":"begun"}\n',
        b'{"index":-1,"digest":"9f86d081884c7d65","state":"begun"}\n',
        b'{"index":true,"digest":"9f86d081884c7d65","state":"begun"}\n',
        b'{"index":0,"digest":"9f86","state":"begun"}\n',
        b'{"index":0,"digest":"0x86d081884c7d6","state":"begun"}\n',
        b'{"index":0,"digest":7,"state":"begun"}\n',
        b'{"index":0,"digest":"9f86d081884c7d65","state":"lost"}\n',
        b'{"index":0,"digest":"9f86d081884c7d65"',
        b"\x00" * 60 + b"\n",
    ],
)
def test_a_damaged_line_is_refused(line: bytes) -> None:
    """A journal that does not add up is not built upon."""
    with pytest.raises(ValueError, match=r"^is damaged$"):
        Ledger().read(line)


def test_a_line_that_contradicts_an_earlier_one_is_refused() -> None:
    """Two inputs were written into one file."""
    ledger = Ledger()
    ledger.read(begun_line(0, DIGEST))
    with pytest.raises(ValueError, match="contradicts"):
        ledger.read(begun_line(0, digest_of("another")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"unique_name": "A", "max_participants": 2}, {"max_participants": 2, "unique_name": "A"}),
        (UUID(int=7), str(UUID(int=7))),
        (("an-id", {"max_participants": 2}), ["an-id", {"max_participants": 2}]),
        (MappingProxyType({"unique_name": "A"}), {"unique_name": "A"}),
    ],
)
def test_the_same_item_has_the_same_digest(one: object, other: object) -> None:
    """The order of fields does not count, nor how an id is held."""
    assert digest_of(one) == digest_of(other)


def test_a_digest_stays_what_it_was() -> None:
    """A journal of an older version is of the same input."""
    assert digest_of(["an-id", {"unique_name": "Weekly", "max_participants": 2}]) == "aa6dc01b723e9c45"
    assert digest_of("\ud800") == "69aff8d3db26e731"
    assert digest_of({1: 2, "a": 3}) == "75ef385533bb4dc6"


def test_other_items_have_other_digests() -> None:
    """Whatever an input may hold has a digest, even what could never be sent."""
    strange: list[Any] = [
        None,
        1,
        1.0,
        "1",
        True,
        {},
        [],
        {"a": None},
        {1: 2, "a": 3},
        "\ud800",
        b"1",
        {1, 2},
    ]
    loop: list[object] = []
    loop.append(loop)
    assert len({digest_of(item) for item in (*strange, loop)}) == len(strange) + 1


@pytest.mark.parametrize(
    ("error", "certain"),
    [
        (InvalidArgumentError(("no id",)), True),
        (NotFoundError(404), True),
        (BadRequestError(400), True),
        (APIStatusError(499), True),
        (APIStatusError(399), False),
        (InternalServerError(500), False),
        (APIStatusError(408), False),
        (RateLimitError(429), False),
        (APITimeoutError(), False),
        (RuntimeError(), False),
    ],
)
def test_it_is_known_after_which_errors_nothing_was_done(error: Exception, *, certain: bool) -> None:
    """A refusal is certain; a silence is not."""
    assert is_certain(error) is certain


TAKEN = NameTakenError(422, (ErrorDetail(code="10027", title="CANARY has already been taken"),))
FAILURES: dict[str, tuple[Exception, bytes]] = {
    "a refusal": (TAKEN, b'"error":"NameTakenError","status":422,"code":"10027",'),
    "a refusal without words": (RateLimitError(429), b'"error":"RateLimitError","status":429,"code":null,'),
    "an argument": (InvalidArgumentError(("unique_name 'CANARY'",)), b'"error":"InvalidArgumentError",'),
    "no answer": (OutcomeUnknownError("CreateRoom", "CANARY"), b'"error":"OutcomeUnknownError",'),
    "a mistake": (ValueError("CANARY\nb\u2028c"), b'"error":"ValueError",'),
}


@pytest.mark.parametrize(("error", "told"), FAILURES.values(), ids=FAILURES)
def test_a_journal_holds_no_item(error: Exception, told: bytes) -> None:
    """Of a failure its kind is written, and none of its words: they may repeat the item."""
    line = failed_line(0, DIGEST, error, may_be_done=True)
    begun = b'{"index":0,"digest":"' + DIGEST.encode() + b'","state":"failed",'
    assert line == begun + told + b'"sure":false}\n'
