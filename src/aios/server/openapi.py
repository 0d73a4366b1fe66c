"""The native interface described: OpenAPI from the table of syscalls, and a page to read it by."""

import html
import inspect
from functools import cache
from typing import Any

import msgspec

from aios.server.asgi import Exchange
from aios.server.health import PACKAGE
from aios.server.wire.errors import KINDS, NATIVE_STATUS
from aios.syscalls import Syscall
from aios.syscalls.base import reply_of
from aios.syscalls.table import SYSCALLS, VERSION

OTHERS = {  # method and path -> what it is, where no syscall says so
    "POST /v1/chat/completions": "OpenAI's chat completions",
    "POST /v1/completions": "OpenAI's text completions",
    "POST /v1/responses": "OpenAI's responses",
    "POST /v1/embeddings": "OpenAI's embeddings",
    "POST /v1/messages": "Anthropic's messages",
    "POST /v1/messages/count_tokens": "Anthropic's token counts",
    "GET /v1/models": "The models that are served",
    "POST /mcp": "Memory, files and tools as an MCP server",
    "GET /.well-known/agent-card.json": "The first agent that takes part in A2A",
    "POST /a2a/NAME": "An agent that takes part in A2A",
    "GET /api/events": "The kernel's events, server-sent",
    "GET /health": "Is the server there",
    "GET /health/ready": "Does it take calls",
    "GET /metrics": "Figures for Prometheus",
    "GET /version": "Which version it is",
}
_REF = "#/components/schemas/{name}"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    replies = {name: reply_of(kind) for name, kind in SYSCALLS.items()}
    kinds = [*SYSCALLS.values(), *replies.values()]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    asked = dict(zip(SYSCALLS, schemas[: len(SYSCALLS)], strict=True))
    told = dict(zip(SYSCALLS, schemas[len(SYSCALLS) :], strict=True))
    for kind in SYSCALLS.values():
        _untag(components[kind.__name__])
    paths = {
        f"/api/syscalls/{name}": {"post": _operation(name, kind, asked[name], told[name])}
        for name, kind in SYSCALLS.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": PACKAGE, "version": str(VERSION)},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components | {"Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


async def openapi(exchange: Exchange) -> None:
    """GET /openapi.json"""
    await exchange.reply_json(document())


async def docs(exchange: Exchange) -> None:
    """GET /docs"""
    await exchange.reply(_page().encode(), kind="text/html; charset=utf-8")


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "enum": sorted(KINDS)},
                "message": {"type": "string"},
                "retry_after_s": {"type": "number"},
            },
        }
    },
}


def _untag(schema: dict[str, Any]) -> None:
    """The path names the syscall; its body need not."""
    schema["required"] = [name for name in schema.get("required", ()) if name != "syscall"]


def _operation(
    name: str, kind: type[Syscall[Any]], asked: dict[str, Any], told: dict[str, Any]
) -> dict[str, Any]:
    errors = {str(NATIVE_STATUS.get(code, one.status)) for code, one in KINDS.items()}
    failed = {"content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}}
    is_stream = name == "llm.stream"
    form = "text/event-stream" if is_stream else "application/json"
    return {
        "operationId": name,
        "tags": [name.partition(".")[0]],
        "summary": (inspect.getdoc(kind) or name).partition("\n")[0],
        "description": inspect.getdoc(kind) or "",
        "requestBody": {"content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {
                "description": "The reply",
                "content": {form: {} if is_stream else {"schema": told}},
            }
        }
        | {
            status: {"description": "An error", **failed}
            for status in sorted(errors | {"405", "408", "413"})
        },
    }


@cache
def _page() -> str:
    rows = {
        f"POST /api/syscalls/{name}": inspect.getdoc(kind) or "" for name, kind in SYSCALLS.items()
    }
    listed = "".join(
        f"<dt><code>{html.escape(path)}</code></dt><dd>{html.escape(what)}</dd>"
        for path, what in {**OTHERS, **rows}.items()
    )
    return _PAGE.format(title=html.escape(PACKAGE), listed=listed)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<style>body{{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}}
dd{{margin:0 0 1rem;white-space:pre-line}}</style></head>
<body><h1>{title}</h1>
<p>Every endpoint of this server. <a href="/openapi.json">openapi.json</a> describes the native
ones field by field.</p><dl>{listed}</dl></body></html>
"""
