"""The HTTP engine: one API call from request to typed value.

Guide: ``telnyx-rooms docs http``, or the README.md of this folder.
"""
