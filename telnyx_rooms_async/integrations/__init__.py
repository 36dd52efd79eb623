"""Adapters, each named after its framework: aiohttp.web, ASGI, OpenTelemetry and Dask."""
