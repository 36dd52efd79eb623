"""The operations of the API: a module for each noun.

Guide: ``telnyx-rooms docs resources``, or the README.md of this folder.
"""
