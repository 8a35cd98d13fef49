"""Which pages there are, and what makes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aldo.validate.explain import rules_page
from publish.commands import commands_page
from publish.evidence import evidence_page
from publish.figures import readme_with_figures
from publish.gateway import gateway_page
from publish.library import library_page
from publish.outputs import outputs_page
from publish.schemas import schemas_page
from publish.terminal import picture

ROOT = Path(__file__).resolve().parents[1]

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/cli.md": commands_page,
    "docs/reference/rules.md": rules_page,
    "docs/reference/schemas.md": schemas_page,
    "docs/reference/gateway.md": gateway_page,
    "docs/reference/api.md": library_page,
    "docs/reference/outputs.md": outputs_page,
    "docs/explanation/evidence.md": evidence_page,
    "docs/pictures/terminal.svg": picture,
    "README.md": readme_with_figures,
}
