"""Commands for many rooms at once, and for all recordings: tables in and out, with what is seen meanwhile."""
