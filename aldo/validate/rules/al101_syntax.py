"""The file is not valid YAML."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL101",
    name="syntax",
    severity="error",
    summary="The file is not valid YAML.",
    explanation="""\
Reports what the parser found and where. When the error lies inside one entry of a list, that entry is
passed over and the rest of the file is still checked. YAML indents with spaces, never with tabs.
""",
    bad=changed("[streaming]", "[streaming"),
    good=MINIMAL,
)
