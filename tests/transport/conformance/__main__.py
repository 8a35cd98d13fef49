"""Runs every check against every server that is here, and prints the table: `python -m tests.transport.conformance`.

`--write` puts it into docs/reference/servers.md, with what is known of servers that are not installed.
"""

from __future__ import annotations

import argparse
import sys

from tests.transport.conformance.expectations import everything
from tests.transport.conformance.report import PAGE, markdown, observed, page
from tests.transport.conformance.servers import SUBJECTS, Started, installed


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.transport.conformance", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/servers.md")
    parser.add_argument("--only", metavar="SERVER,…", help=f"some of {', '.join(SUBJECTS)}")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(SUBJECTS)
    table = {}
    with Started() as started:
        for server in chosen:
            if installed(server):
                table[server] = observed(started, server)
                print(f"{server}: {started[server].version()}", file=sys.stderr)
            else:
                print(f"{server}: not installed, so not run", file=sys.stderr)
    print(markdown(table), end="")
    wanted = everything()
    different = [
        f"{server}, {name}: {row} and not {wanted[server][name]}"
        for server, rows in table.items()
        for name, row in rows.items()
        if row != wanted[server][name]
    ]
    for line in different:
        print(f"differs from the expectations: {line}", file=sys.stderr)
    if options.write:
        PAGE.write_text(page(PAGE.read_text("utf-8"), {**wanted, **table}), "utf-8")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
