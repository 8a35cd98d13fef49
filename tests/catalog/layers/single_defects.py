"""Overlays of one defect each, with the place where it is told."""

from __future__ import annotations

from dataclasses import dataclass

from tests.catalog.layers.marked_layers import BASE, added


@dataclass(frozen=True)
class Case:
    """One defect: its code, the overlays (the marks in them or in the base), and what the hint offers."""

    name: str
    code: str
    overlays: tuple[str, ...]
    near: str = ""
    related: str = ""
    """The part of the base before which `«` stands."""
    base: str = BASE

    def marked_base(self) -> str:
        assert not self.related or self.base.count(self.related) >= 1, self.related
        return self.base.replace(self.related, f"«{self.related}", 1) if self.related else self.base


def case(name: str, code: str, *overlays: str, near: str = "", related: str = "", base: str = BASE) -> Case:
    return Case(name, code, overlays, near, related, base)


DEFECTS = (
    case("override", "AL601", "override: { ‹twoo: { description: x } }\n", near="two"),
    case("override, nothing near", "AL601", "override: { ‹zzzzzzzz: { description: x } }\n"),
    case("override, other case", "AL601", "override: { ‹One: { description: x } }\n", near="one"),
    case("override, many fields", "AL601", "override: { ‹on: { description: x, locality: cloud, $unset: [source] } }\n", near="one"),
    case("remove", "AL601", "remove:\n  - two\n  - ‹onee\n", near="one"),
    case("expect", "AL601", "expect: { ‹twoo: { locality: cloud } }\n", near="two"),
    case("acknowledge", "AL601", "acknowledge: { ‹twoo: why }\n", near="two"),
    case("override what was removed", "AL601", "remove: [«one]\n", "override: { ‹one: { description: x } }\n"),
    case("remove what was removed", "AL601", "remove: [«one]\n", "remove: [‹one]\n"),
    case("expect what was removed", "AL601", "remove: [«one]\n", "expect: { ‹one: { locality: local } }\n"),
    case("override what a later layer adds", "AL601", "override: { ‹new: { description: x } }\n", added("new")),
    case("add", "AL602", added("‹two"), related="two\n"),
    case("add what was added", "AL602", added("«new"), added("‹new")),
    case("unset", "AL603", "override: { two: { $unset: [‹latencyP95Ms] } }\n"),
    case("unset below nothing", "AL603", "override: { two: { $unset: [‹providerConfig.baseUrl] } }\n"),
    case("unset a knob", "AL603", "override: { one: { $unset: [‹providerConfig.extra.nun] } }\n", near="providerConfig.extra.num"),
    case("unset a header", "AL603", "override: { one: { $unset: [‹providerConfig.headers.X.z] } }\n", near="providerConfig.headers.X.y"),
    case("unset twice in two layers", "AL603", "override: { one: { $unset: [description] } }\n", "override: { one: { $unset: [‹description] } }\n"),
    case("remove a tag", "AL603", "override: { one: { provides: { $remove: [‹visions] } } }\n", near="vision", related="[streaming, vision]"),
    case("remove a tier", "AL603", "override: { two: { privacyAllowed: { $remove: [‹internal] } } }\n", related="[public]"),
    case("remove a word", "AL603", "vocabulary: { capabilities: { $remove: [‹x] } }\n"),
    case("remove a network", "AL603", "routing: { localNetworks: { $remove: [‹h.lan] } }\n"),
    case("remove a locality", "AL603", "routing: { sensitiveLocalities: { $remove: [‹cloud] } }\n"),
    case("remove a knob's item", "AL603", "override: { one: { providerConfig: { extra: { items: { $remove: [‹7] } } } } }\n", related="[1]"),
    case("remove true where 1 is", "AL603", "override: { one: { providerConfig: { extra: { items: { $remove: [‹true] } } } } }\n", related="[1]"),
    case("add to no list", "AL603", "override: { one: { providerConfig: { extra: { new: ‹{ $add: [7] } } } } }\n"),
    case("add to a number", "AL604", "override: { one: { providerConfig: { extra: { num: ‹{ $add: [7] } } } } }\n", related="1, text"),
    case("number to null", "AL604", "override: { one: { providerConfig: { extra: { num: ‹null } } } }\n", related="1, text"),
    case("number to truth", "AL604", "override: { one: { providerConfig: { extra: { num: ‹true } } } }\n", related="1, text"),
    case("number to text", "AL604", "override: { one: { providerConfig: { extra: { num: ‹'1' } } } }\n", related="1, text"),
    case("text to number", "AL604", "override: { one: { providerConfig: { extra: { text: ‹1 } } } }\n", related="t, flag"),
    case("truth to number", "AL604", "override: { one: { providerConfig: { extra: { flag: ‹1 } } } }\n", related="true, items"),
    case("list to number", "AL604", "override: { one: { providerConfig: { extra: { items: ‹1 } } } }\n", related="[1]"),
    case("list to map", "AL604", "override: { one: { providerConfig: { extra: { items: ‹{ a: 1 } } } } }\n", related="[1]"),
    case("map to list", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹[1] } } } }\n", related="{ a: 1, b.c"),
    case("map to text", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹x } } } }\n", related="{ a: 1, b.c"),
    case("map to null", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹null } } } }\n", related="{ a: 1, b.c"),
    case("inside a map", "AL604", "override: { one: { providerConfig: { extra: { deep: { b.c: ‹x } } } } }\n", related="2 }, none"),
    case("type of an earlier layer", "AL604", "override: { one: { providerConfig: { extra: { new: «1 } } } }\n", "override: { one: { providerConfig: { extra: { new: ‹x } } } }\n"),
    case("expect another number", "AL605", "expect: { one: { effectiveContextTokens: ‹99 } }\n", related="100"),
    case("expect another text", "AL605", "expect: { one: { description: ‹second } }\n", related="first"),
    case("expect nothing", "AL605", "expect: { one: { description: ‹null } }\n", related="first"),
    case("expect something", "AL605", "expect: { two: { description: ‹x } }\n"),
    case("expect below nothing", "AL605", "expect: { two: { providerConfig: { baseUrl: ‹http://localhost:1 } } }\n"),
    case("expect another list", "AL605", "expect: { one: { provides: ‹[streaming] } }\n", related="[streaming, vision]"),
    case("expect truth for a number", "AL605", "expect: { one: { providerConfig: { extra: { num: ‹true } } } }\n", related="1, text"),
    case("expect a header", "AL605", "expect: { one: { providerConfig: { headers: { X.y: ‹w } } } }\n", related="z }"),
    case("expect what an earlier layer changed", "AL605", "override: { one: { description: «x } }\n", "expect: { one: { description: ‹first } }\n"),
    case("set and unset", "AL607", "override: { one: { description: «x, $unset: [‹description] } }\n"),
    case("unset above what is set", "AL607", "override: { one: { providerConfig: { extra: «{ num: 2 } }, $unset: [‹providerConfig.extra] } }\n"),
    case("unset below what is unset", "AL607", "override: { one: { $unset: [«providerConfig, ‹providerConfig.extra] } }\n"),
    case("added and removed", "AL607", "override: { one: { provides: { $add: [«vision], $remove: [‹vision] } } }\n"),
    case("override and remove", "AL607", "override: { one: «{ description: x } }\nremove: [‹one]\n"),
    case("override and add", "AL607", "override: { new: «{ description: x } }\n" + added("‹new")),
    case("remove and add", "AL607", added("«two") + "remove: [‹two]\n"),
    case("set again", "AL608", "override: { one: { description: ‹first } }\n", related="first"),
    case("set again in another spelling", "AL608", "override: { one: { latencyP95Ms: ‹10.0 } }\n", related="10\n"),
    case("a cost again", "AL608", "override: { one: { cost: ‹{ usdPerMtokOut: 2.0, usdPerMtokIn: 1 } } }\n", related="{ usdPerMtokIn"),
    case("a list again", "AL608", "override: { one: { provides: ‹[streaming, vision] } }\n", related="[streaming, vision]"),
    case("add a tag again", "AL608", "override: { one: { provides: { $add: [‹vision] } } }\n", related="[streaming, vision]"),
    case("an empty entry", "AL608", "override: { ‹one: {} }\n"),
    case("default localities again", "AL608", "routing: { sensitiveLocalities: { $add: [‹local] } }\n"),
    case("what an earlier layer set", "AL608", "override: { one: { description: «x } }\n", "override: { one: { description: ‹x } }\n"),
    case("an empty map", "AL608", "override: { one: { providerConfig: ‹{} } }\n", related="baseUrl: http"),
    case("acknowledge of nothing", "AL608", "acknowledge: { ‹one: why }\n"),
    case("set twice", "AL609", "override: { one: { description: ‹x } }\n", "override: { one: { description: «y } }\n"),
    case("set, then unset", "AL609", "override: { one: { description: ‹x } }\n", "override: { one: { $unset: [«description] } }\n"),
    case("set below what is unset", "AL609", "override: { one: { providerConfig: { extra: { num: ‹2 } } } }\n", "override: { one: { $unset: [«providerConfig.extra] } }\n"),
    case("set, then removed", "AL609", "override: { one: { description: ‹x } }\n", "remove: [«one]\n"),
    case("a tag added, then a whole list", "AL609", "override: { one: { provides: { $add: ‹[json-mode] } } }\n", "override: { one: { provides: «[streaming] } }\n"),
    case("a tag added, then removed", "AL609", "override: { one: { provides: { $add: ‹[json-mode] } } }\n", "override: { one: { provides: { $remove: «[json-mode] } } }\n"),
    case("a word twice", "AL609", "vocabulary: { capabilities: ‹[x] }\n", "vocabulary: { capabilities: «[y] }\n"),
    case("a cost twice", "AL609", "override: { one: { cost: ‹{ usdPerMtokIn: 3, usdPerMtokOut: 4 } } }\n", "override: { one: { cost: «{ usdPerMtokIn: 5, usdPerMtokOut: 6 } } }\n"),
)  # fmt: skip
