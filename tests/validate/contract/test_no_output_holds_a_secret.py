"""Secrets in a catalog are told, and are in no output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aldo.validate import FORMATS, lint, render
from tests.validate.contract.catalogs import KEY, SECRETS, TODAY, Change, catalog, codes, found, subject

PEM = f"-----BEGIN RSA PRIVATE KEY-----\n      {KEY}{KEY}\n      {KEY}\n      -----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("form", FORMATS)
def test_no_output_holds_the_body_of_a_private_key(form: str, folder: Path) -> None:
    path = folder / "secret.yaml"
    path.write_text(catalog(subject("local", {"description": f"|\n      {PEM}"})), "utf-8")
    report = lint([path], today=TODAY)
    assert codes(report.findings) == ["AL304"]
    assert KEY not in render(form, report)


def test_a_private_key_is_told_in_one_line_at_the_field_that_holds_it(folder: Path) -> None:
    (finding,) = found(catalog(subject("local", {"description": f"|\n      {PEM}"})), folder)
    assert finding.pointer == "/models/2/description"
    assert "\n" not in finding.message


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("secret", [*SECRETS, KEY])
def test_no_output_holds_a_secret(secret: str, form: str, folder: Path) -> None:
    config = f"{{ baseUrl: https://h.example.org, headers: {{ Authorization: Bearer {secret} }} }}"
    anywhere: Change = {} if secret == KEY else {secret: "x", "asOf": secret, "description": f"x # {secret}"}
    path = folder / "secret.yaml"
    path.write_text(catalog(subject("cloud", {"providerConfig": config, **anywhere})), "utf-8")
    report = lint([path], today=TODAY)
    assert "AL304" in codes(report.findings)
    assert secret not in render(form, report)
    assert secret[4:] not in json.dumps(report.to_dict())
