"""Adapters, each named after its framework.

Those for webhooks send responses without a body. Their status is 200 when the event was handled, now or
before; 400 when the signature is not valid or the body is not an event; 405 for other methods than POST; 408
when the body takes too long, if the adapter has a limit; 413 when it is larger than 1 MiB; 415 when it is
compressed; and 500 when handling failed, after which Telnyx delivers the event again.

Guide: ``telnyx-rooms docs integrations``, or the README.md of this folder.
"""
