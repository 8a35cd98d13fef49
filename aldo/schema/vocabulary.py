"""The words that requests and entries share: classes, capability tags, tiers, localities.

A catalog may add classes and tags of its own under `vocabulary`. Tiers and localities are closed.
"""

from __future__ import annotations

from typing import Literal, get_args

API_VERSION: Literal["aldo/models.v1"] = "aldo/models.v1"
CATALOG_KIND: Literal["ModelCatalog"] = "ModelCatalog"
OVERLAY_KIND: Literal["ModelCatalogOverlay"] = "ModelCatalogOverlay"

PrivacyTier = Literal["public", "internal", "sensitive"]
Locality = Literal["local", "on-prem", "cloud"]

PRIVACY_TIERS: tuple[PrivacyTier, ...] = get_args(PrivacyTier)
"""From the least to the most protected."""

LOCALITIES: tuple[Locality, ...] = get_args(Locality)
"""From this machine outwards; routing prefers them in this order."""

CAPABILITY_CLASSES: tuple[str, ...] = (
    "reasoning-large",
    "reasoning-medium",
    "reasoning-small",
    "local-reasoning",
    "fast-draft",
    "coding-frontier",
    "embeddings",
)

CAPABILITIES: tuple[str, ...] = (
    "32k-context",
    "128k-context",
    "200k-context",
    "1m-context",
    "tool-use",
    "function-calling",
    "streaming",
    "long-output",
    "parallel-tool-calls",
    "json-mode",
    "structured-output",
    "constrained-decoding",
    "reasoning",
    "extended-thinking",
    "vision",
    "audio-in",
    "audio-out",
    "code-fim",
    "embeddings",
    "rerank",
    "coding-frontier",
)
