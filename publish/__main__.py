"""Write the pages anew: all of them, or those that are named."""

from __future__ import annotations

import sys

from publish.pages import PAGES, ROOT


def main(names: list[str]) -> int:
    """Write the pages; the exit code."""
    unknown = [name for name in names if name not in PAGES]
    if unknown:
        print(f"no such page: {unknown[0]}; there are {', '.join(PAGES)}", file=sys.stderr)
        return 2
    for name in names or PAGES:
        place, text = ROOT / name, PAGES[name]()
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists() or place.read_text("utf-8") != text:
            place.write_text(text, "utf-8")
            print(f"{name} is written anew")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
