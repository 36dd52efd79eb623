"""Models: their fields, and webhook URLs without the secrets in them."""

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import models

# As the API reference names them.
FIELDS: dict[type, str] = {
    models.Room: "id unique_name max_participants enable_recording active_session_id sessions"
    " webhook_event_url webhook_event_failover_url webhook_timeout_secs created_at updated_at record_type",
    models.RoomSession: "id room_id active created_at updated_at ended_at participants record_type",
    models.RoomParticipant: "id session_id context joined_at updated_at left_at record_type",
    models.RoomRecording: "id room_id session_id participant_id type status codec duration_secs size_mb"
    " download_url created_at updated_at started_at ended_at completed_at record_type",
    models.RoomComposition: "id room_id session_id user_id status format resolution duration_secs size_mb"
    " download_url video_layout audio_sources webhook_event_url webhook_event_failover_url"
    " webhook_timeout_secs created_at updated_at started_at ended_at completed_at record_type",
    models.VideoRegion: "height width x_pos y_pos z_pos max_columns max_rows video_sources",
    models.AccessToken: "token token_expires_at",
    models.ClientToken: "token token_expires_at refresh_token refresh_token_expires_at",
    models.ActionResult: "result",
    models.DeletedRecordings: "room_recordings",
}


@pytest.mark.parametrize(("model", "names"), FIELDS.items(), ids=[model.__name__ for model in FIELDS])
def test_model_has_the_fields_of_the_api(model: type[attrs.AttrsInstance], names: str) -> None:
    assert {field.name for field in attrs.fields(model)} == set(names.split())


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
