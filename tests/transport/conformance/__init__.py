"""One set of checks for every server that the library talks to, and a table of what each is known to do.

`checks` asks, `servers` says how each server is had, `expectations` is the table, `report` prints it.
"""
