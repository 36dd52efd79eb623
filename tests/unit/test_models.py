"""Models: the lifetime of tokens, and webhook URLs without the secrets in them."""

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import models


@pytest.mark.parametrize(
    ("expires_at", "seconds"),
    [
        (datetime(2021, 4, 25, 12, 0, 10, tzinfo=UTC), 10.0),
        (datetime(2021, 4, 25, 11, 59, 59, 500_000, tzinfo=UTC), -0.5),
        (None, None),
    ],
)
def test_token_expires_in_seconds(expires_at: datetime | None, seconds: float | None) -> None:
    token = models.AccessToken(token="a-token", token_expires_at=expires_at)
    assert token.expires_in(datetime(2021, 4, 25, 12, tzinfo=UTC)) == seconds


SECRETS = st.text(max_size=8).map(
    lambda text: f"CANARY{text.translate(dict.fromkeys(map(ord, '/?#@[]' + chr(92))))}CANARY"
)


@given(
    scheme=st.sampled_from(["https://", "http://", "HTTPS://", ""]),
    user=st.just("") | SECRETS.map("{}@".format) | st.builds("{}:{}@".format, SECRETS, SECRETS),
    host=st.builds(
        "{}{}".format,
        st.sampled_from(["example.com", "localhost:8080", "[::1]", "127.0.0.1", "a-b.example"]),
        st.sampled_from(["", "/", "/hook", "/hook/v1", "/@team/hook"]),
    ),
    query=st.just("") | SECRETS.map("?{}".format),
    fragment=st.just("") | SECRETS.map("#{}".format),
)
def test_public_url_has_no_user_query_or_fragment(
    scheme: str, user: str, host: str, query: str, fragment: str
) -> None:
    url = f"{scheme}{user}{host}{query}{fragment}"
    marker = f"{(query or fragment)[:1]}***" if query or fragment else ""
    assert models.public_url(url) == f"{scheme}{host}{marker}"
    assert models.secret_parts(url) == tuple(filter(None, (user, query + fragment)))


@pytest.mark.parametrize("model", [models.Room, models.RoomComposition])
def test_repr_has_no_secrets_of_webhook_urls(model: type[models.Room]) -> None:
    url = "https://user:CANARY@example.com/hook?token=CANARY"
    value = model(id="1", webhook_event_url=url, webhook_event_failover_url=url)
    assert repr(value).count("'https://example.com/hook?***'") == 2
    assert "CANARY" not in repr(value)
    assert value.webhook_event_url == url


def test_models_are_equal_when_their_classes_and_fields_are() -> None:
    room = models.Room(id="a", unique_name="Weekly")
    same = models.Room.from_dict(room.to_dict())
    assert (same, hash(same)) == (room, hash(room))
    assert len({room, same, attrs.evolve(room, unique_name=None)}) == 2
    assert models.RoomSession(id="a") != models.RoomParticipant(id="a")
    assert models.RoomSession(id="a") != "a"


def test_models_with_mappings_are_hashable() -> None:
    tiled = models.RoomComposition(id="a", video_layout={"main": models.VideoRegion(width=640)})
    plain = attrs.evolve(tiled, video_layout=None)
    assert hash(tiled) == hash(plain)
    assert tiled != plain
