"""What the page for programmers shows of each route of the API."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any


def operations(schema: Mapping[str, Any], base_url: str) -> Iterator[dict[str, Any]]:
    """What the docs page shows of each route."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            sent = body.get("schema", {})
            model = schema["components"]["schemas"].get(_type(sent), sent)
            requests = [item["value"] for item in body.get("examples", {}).values()]
            key = ["--header", "Authorization: Bearer YOUR-KEY"] if "security" in operation else []
            data = ["--json", dumps(requests[0], ensure_ascii=False)] if requests else []
            status = next(status for status in operation["responses"] if status.startswith("2"))
            answers = operation["responses"][status]["content"]["application/json"]
            yield {
                "method": method.upper(),
                "path": path,
                "description": operation["description"],
                "fields": [*_parameters(operation), *_fields(model)],
                "curl": shlex.join(["curl", base_url + path, *key, *data]),
                "examples": [
                    (item["summary"], dumps(item["value"], indent=2, ensure_ascii=False))
                    for item in answers.get("examples", {}).values()
                ],
            }


def _parameters(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What may stand in the address behind the question mark."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield _field(parameter["name"], parameter["schema"], parameter.get("required", False))


def _fields(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, field in model.get("properties", {}).items():
        yield _field(name, field, name in model.get("required", ()))


def _field(name: str, field: Mapping[str, Any], required: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": _type(field),
        "description": field.get("description", ""),
        "default": dumps(field.get("default")),
        "required": required,
    }


def _type(field: Mapping[str, Any]) -> str:
    """A JSON schema's type in words."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    return str(field.get("type", "any"))
