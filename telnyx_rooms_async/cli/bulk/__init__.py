"""Commands that make many calls: imports, exports and deletions."""
