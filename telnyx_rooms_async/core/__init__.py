"""The protocol without I/O: bring your own HTTP.

`protocol.build` makes a `messages.Call`, whose request is a plain value; `protocol.read` turns the
response into a model or raises; `paging.Scan` tells which page comes next, and `protocol.at` asks for it.
"""
