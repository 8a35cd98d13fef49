"""A list of entries without the header."""

from aldo.validate.example import ENTRY, MINIMAL, SECOND
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL114",
    name="bare-list",
    severity="info",
    summary="The file is a bare list of entries, without apiVersion and kind.",
    explanation="""\
It loads all the same. With the header the file says what it is, editors complete its fields, and settings
such as `routing` have a place.
""",
    bad=ENTRY.replace("\n  ", "\n")[2:] + SECOND.replace("\n  ", "\n")[2:],
    good=MINIMAL,
)
