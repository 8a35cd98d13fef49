"""What every test of the audit needs: probes that are patient."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patient_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine under load must not decide whether a server is there."""
    monkeypatch.setattr("aldo.transport.audit.auditor.SECONDS", 30.0, raising=False)
