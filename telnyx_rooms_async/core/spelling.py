"""Former names of `core.requests`, until every module uses that."""

from telnyx_rooms_async.core.requests import body_fields, problems, query_pairs, secrets

__all__ = ["body_fields", "problems", "query_pairs", "secrets"]
