"""Webhooks: events, signatures, routing and de-duplication."""
