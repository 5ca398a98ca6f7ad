"""Renders the API's description as `Docs/API.md`: `python Docs/render-api.py > Docs/API.md`."""

import json
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "Sources" / "BrokerServer" / "API" / "openapi.json"


def resolved(document: dict, item: dict) -> dict:
    """The item itself, or what it refers to."""
    while "$ref" in item:
        _, *path = item["$ref"].split("/")
        item = document
        for name in path:
            item = item[name]
        item = dict(item)
    return item


def kind(schema: dict) -> str:
    """A schema in a few words; a named one as a link."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "allOf" in schema:
        return kind(schema["allOf"][0])
    if options := schema.get("anyOf") or schema.get("oneOf") if "properties" not in schema else None:
        return " or ".join(kind(option) for option in options)
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    types = schema.get("type", "object")
    words = " or ".join(types) if isinstance(types, list) else types
    if "array" in words:
        return f"{words} of {kind(schema.get('items', {}))}"
    if "additionalProperties" in schema:
        return f"object of {kind(schema['additionalProperties'])}"
    return f"{words}, `{schema['pattern']}`" if "pattern" in schema else words


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def rows(schema: dict) -> list[str]:
    required = set(schema.get("required", []))
    lines = ["| member | | |", "|---|---|---|"]
    for name, member in schema["properties"].items():
        mark = "" if name in required else " (optional)"
        lines.append(f"| `{name}`{mark} | {cell(kind(member))} | {cell(member.get('description', ''))} |")
    return lines


def operation(document: dict, method: str, path: str, shared: list, op: dict) -> list[str]:
    words = op["summary"] + "." + (" " + op["description"] if "description" in op else "")
    lines = [f"### `{method.upper()} {path}`", "", words, ""]
    parameters = [resolved(document, item) for item in shared + op.get("parameters", [])]
    if parameters:
        lines += ["| parameter | | |", "|---|---|---|"]
        for item in parameters:
            mark = "" if item.get("required") else " (optional)"
            words = f"{item['in']}, {kind(item['schema'])}"
            lines.append(f"| `{item['name']}`{mark} | {cell(words)} | {cell(item.get('description', ''))} |")
        lines.append("")
    if "requestBody" in op:
        for media, content in op["requestBody"]["content"].items():
            schema = content["schema"]
            if "$ref" in schema:
                lines += [f"Body (`{media}`): {kind(schema)}.", ""]
            else:
                lines += [f"Body (`{media}`):", "", *rows(schema), ""]
    lines += ["| status | | |", "|---|---|---|"]
    for status, response in op["responses"].items():
        response = resolved(document, response)
        contents = {media: content["schema"] for media, content in response.get("content", {}).items()}
        parts = [part for schema in contents.values() for part in schema.get("allOf", []) if "properties" in part]
        codes = [code for part in parts for code in part["properties"].get("code", {}).get("enum", [])]
        words = ", ".join(f"`{code}`" for code in codes) or ", ".join(kind(schema) for schema in contents.values())
        lines.append(f"| {status} | {cell(words)} | {cell(response['description'])} |")
    return [*lines, ""]


def render(document: dict) -> str:
    lines = ["# The API", "", document["info"]["description"], "",
             "Made from `/openapi.json` by `Docs/render-api.py`; change that, not this page.", ""]
    for tag in document["tags"]:
        lines += [f"## {tag['name'].capitalize()}", "", tag["description"], ""]
        for path, item in document["paths"].items():
            for method, op in item.items():
                if method != "parameters" and tag["name"] in op["tags"]:
                    lines += operation(document, method, path, item.get("parameters", []), op)
    lines += ["## Schemas", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += [f"### {name}", ""]
        if "description" in schema:
            lines += [schema["description"], ""]
        lines += [*(rows(schema) if "properties" in schema else [kind(schema)]), ""]
        for example in schema.get("examples", []) if "properties" in schema else []:
            lines += ["```json", json.dumps(example, indent=2, ensure_ascii=False), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(render(json.loads(DOCUMENT.read_text())))
