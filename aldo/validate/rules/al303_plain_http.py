"""Plain http to another machine."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        url = entry.base_url
        if url is None or entry.locality == "local":  # of those that are elsewhere all the same AL302 tells
            continue
        parts = subject.base_url(url)
        if parts is None or parts.scheme != "http" or parts.hostname is None:
            continue
        if subject.local_networks.hold(parts.hostname):
            continue
        path = entry.at("providerConfig", "baseUrl")
        fix = subject.replaced(path, url.replace("http://", "https://", 1), "write https")
        yield Defect(path, f"plain http to {parts.hostname}", "use https", fix=fix)


RULE = Rule(
    code="AL303",
    name="plain-http",
    severity="warning",
    summary="Requests would cross the network unencrypted.",
    explanation="""\
Prompts, answers and the key can be read and changed on the way. Plain http is fine on this machine and for
hosts under `routing.localNetworks`.
""",
    bad=changed("https://", "http://", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
    needs=("routing",),
)
