"""A local entry whose server is not this machine."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import configured
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        url = entry.base_url
        if entry.locality != "local" or url is None:
            continue
        parts = subject.base_url(url)
        if parts is None or parts.hostname is None or subject.local_networks.hold(parts.hostname):
            continue
        yield Defect(
            entry.at("providerConfig", "baseUrl"),
            f"{entry.name} is local, but {parts.hostname} is not this machine",
            "make the locality on-prem or cloud, or use localhost; routing.localNetworks is for what is this machine",
            related=((entry.at("locality"), "the locality"),),
        )


RULE = Rule(
    code="AL302",
    name="local-elsewhere",
    severity="error",
    summary="The entry is local, but its base URL is not of this machine.",
    explanation="""\
Sensitive requests may go to local entries. The egress guard would refuse the connection, so the entry
cannot work either. Loopback and `localhost` are this machine; other addresses and names count once they are
named under `routing.localNetworks`. A server in your own network is `on-prem`.
""",
    bad=configured("{ baseUrl: http://192.168.1.20:8081 }"),
    good=configured("{ baseUrl: http://127.0.0.1:8081 }"),
    check=check,
    needs=("routing",),
)
