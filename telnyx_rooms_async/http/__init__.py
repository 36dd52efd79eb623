"""The HTTP engine: one API call from request to typed value."""
