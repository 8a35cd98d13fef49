"""The defects that reading files and merging layers can find: code, and whether they make it unreadable.

`validate/rules` documents each of them with a good and a bad example.
"""

SYNTAX = "AL101"
DUPLICATE_KEY = "AL102"
UNKNOWN_FIELD = "AL103"
MISSING_FIELD = "AL104"
WRONG_TYPE = "AL105"
WRONG_VALUE = "AL106"
DUPLICATE_ID = "AL107"
UNREADABLE_FILE = "AL108"
WRONG_KIND = "AL109"
MANY_DOCUMENTS = "AL110"
ALIAS = "AL111"
SCALAR = "AL112"
AMBIGUOUS_SCALAR = "AL113"
BARE_LIST = "AL114"

ABSENT_ID = "AL601"
EXISTING_ID = "AL602"
ABSENT_PATH = "AL603"
TYPE_CHANGE = "AL604"
STALE_EXPECT = "AL605"
LOCKED_FIELD = "AL606"
CONTRADICTION = "AL607"
NO_OP = "AL608"
SHADOWED = "AL609"

UNREADABLE = frozenset({SYNTAX, UNREADABLE_FILE, WRONG_KIND, MANY_DOCUMENTS, ALIAS})
"""With one of these, a file is no usable document at all: exit code 2 instead of 1."""
