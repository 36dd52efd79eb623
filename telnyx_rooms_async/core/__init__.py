"""The protocol without I/O, for other HTTP clients than aiohttp.

`protocol.build` returns a `http_messages.Call` with its request as a plain value; `protocol.read` turns the
response into a model or raises the error of this library; `page_scan.Scan` decides which page of a list comes
next.

Guide: ``telnyx-rooms docs core``, or the README.md of this folder.
"""
