"""One module per command group: each command calls the method of the client of the same name."""
