"""The verbs of the API, a module a noun."""
