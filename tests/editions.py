"""Witnesses as the properties write them today, in the form that properties/recheck reads."""

from typing import Any

from scanproof.properties.recheck import _witness, core

SHARED = ("system", "implementation", "law", "seed", "allowance", "claim")


def converted(old: dict[str, Any]) -> dict[str, Any]:
    """A witness of the first edition in the form of the second; another file as it is."""
    if old.get("schema"):
        return old
    words = {name: x for name, x in old["arithmetic"].items() if name == "dtype"}
    new = {"schema": _witness.SCHEMA, "declaration": words, **{name: old[name] for name in SHARED}}
    given = {name: old[name] for name in ("lam", "b", "h0", "u", "y_bar", "S") if old.get(name)}
    given |= old.get("params", {}) | ({"reverse": True} if old.get("reverse") else {})
    return new | {"arguments": given} | _claimed(old)


def _claimed(old: dict[str, Any]) -> dict[str, Any]:
    """What differs from system to system."""
    if old["system"] == "scan":
        return {"results": {"h": old["got"]}, "output": "h", "index": old["index"], "evidence": {"exact": old["truth"]}}
    if old["system"] == "expm":
        evidence = {"direction": old["direction"]}
        return {"results": {"P": old["got"]}, "output": "P", "index": [old["matrix"], 0, 0], "evidence": evidence}
    evidence = {"parts": old["truth"], "rad": old["rad"]}
    return {"results": old["got"], "output": old["output"], "index": old["index"], "evidence": evidence}


def recheck(content: dict[str, Any]) -> str:
    """What the stand-alone program says of a witness of either edition."""
    return core.recheck(_witness.witness(converted(content)))
