"""Base URLs: with or without `/v1`, from the catalog or from the environment."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from aldo.errors import UsageError
from aldo.schema.entry import ModelEntry
from aldo.schema.kinds import KindData
from aldo.schema.places import split_base_url

_VERSION = re.compile(r"/v\d+[a-z0-9]*(/|$)")


def base_url(entry: ModelEntry, kind: KindData, environ: Mapping[str, str]) -> str:
    """Where the entry's API lives, ending in its version. The environment comes first, then the catalog.

    Raises `UsageError` where nothing says where the server is, or the URL is none.
    """
    variable = kind.base_url_env(entry.provider)
    if variable and environ.get(variable):
        return versioned(environ[variable], variable)
    chosen = entry.provider_config.base_url or kind.default_base_url(entry.provider)
    if not chosen:
        raise UsageError(f"{entry.id} has no providerConfig.baseUrl, and {entry.provider} has no default address")
    return versioned(chosen, f"providerConfig.baseUrl of {entry.id}")


def versioned(url: str, source: str) -> str:
    """The URL with `/v1` added unless its path has a version already (`/v1`, `/v1beta/openai`).

    `source` is where it was written, for the error.
    """
    parts = split_base_url(url)
    if parts is None:
        shown = url.rpartition("@")[2]  # what stands before may be a password
        raise UsageError(f"{source}: {shown!r} is not an http or https URL such as http://localhost:8081")
    path = parts.path.rstrip("/")
    if not _VERSION.search(path):
        path += "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def basic_authorization(url: str) -> str | None:
    """The user and password of a URL as the value of a header (RFC 7617); None where it has none."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode('utf-8', 'replace')).decode('ascii')}"


def without_user(url: str) -> str:
    """The URL without a user name and password: what messages may show."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
