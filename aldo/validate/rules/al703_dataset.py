"""The dataset of a suite cannot be read, or holds no cases."""

from aldo.validate.example import SUITE
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL703",
    name="dataset",
    severity="error",
    summary="The dataset of a suite cannot be read, or holds no cases.",
    explanation="""\
`cases_dataset` names a JSONL file with one JSON object a line, or a CSV file whose first line names the columns. Its
name is relative to the suite, not to the folder that the command runs in. What is wrong inside a dataset that can be
read is told in the dataset, with its line.
""",
    bad=SUITE[: SUITE.index("  cases:")] + "  cases_dataset: capitals.jsonl\n" + SUITE[SUITE.index("  evaluators:") :],
    good=SUITE,
)
