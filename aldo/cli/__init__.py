"""The command line: one file per command group. Parse, call the library, print, exit.

What may enter: options and files named on the command line. No logic that a library user would miss.
"""
