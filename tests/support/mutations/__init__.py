"""Single defects for the shipped catalog: each a small edit of its text, with the code and the line to be found.

An edit may break one thing only. So an entry is left alone where the edit would also end what a comment in the
catalog ignores, or would make another entry the first choice of everything (`never_alone`): those are two defects.
The modules `al1_…` to `al9_…` bring the mutations, in the order of the codes.
"""

from tests.support.mutations import al1_structure, al2_names, al3_security, al4_costs, al5_routing, al9_comments
from tests.support.mutations.mutation import MUTATIONS, Broken, Mutation
from tests.support.mutations.source import SHIPPED, shipped, with_house_tag

__all__ = [
    "MUTATIONS",
    "SHIPPED",
    "Broken",
    "Mutation",
    "al1_structure",
    "al2_names",
    "al3_security",
    "al4_costs",
    "al5_routing",
    "al9_comments",
    "shipped",
    "with_house_tag",
]
