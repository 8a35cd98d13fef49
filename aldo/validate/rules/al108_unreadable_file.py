"""The file cannot be read as text, or there is nothing in it."""

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL108",
    name="unreadable-file",
    severity="error",
    summary="The file cannot be read as text, or there is nothing in it.",
    explanation="""\
It does not exist, is a directory, is larger than 32 MiB, is not UTF-8, contains control characters, or
is empty. Where there is a position, it is that of the first bad byte.
""",
    bad="",
    good=MINIMAL,
)
