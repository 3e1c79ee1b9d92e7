"""OpenAPI 3.1 of the public API: what the services serve, as far as the gateway's route table lets it out."""

import re
from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from deploy.api_docs.version import VERSION
from services.auth import api as auth
from services.auth import factor_api, passkey_api
from services.claims import api as claims
from services.claims import share_api as claims_shares
from services.documents import api as documents
from services.gateway import api as gateway
from services.gateway.routes import ROUTES, Route
from services.notifications import api as notifications
from shared.app import API_PREFIX, PROBLEM_JSON

ROUTERS: Final[dict[str, tuple[APIRouter, ...]]] = {
    "auth": (auth.router, factor_api.router, passkey_api.router, auth.keys_router),
    "claims": (claims.router, claims_shares.router),
    "documents": (documents.router,),
    "notifications": (notifications.router,),
}
"""The routers of each service."""

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `errors` names the fields that were refused.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}

Operation = dict[str, Any]


def document() -> dict[str, Any]:
    """The whole document."""
    routes = list(_routes())
    made = get_openapi(
        title="Espace Assuré",
        version=VERSION,
        summary="The member portal's API, as mobile apps call it through the gateway.",
        description=(
            "Errors are `application/problem+json` with a stable `code`. Lists take `limit` and `cursor` and answer "
            "`items` and `next_cursor`. Access tokens are EdDSA JWTs of five minutes."
        ),
        routes=routes,
        separate_input_output_schemas=False,
    )
    names = {route.unique_id: route.name for route in routes}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = names[operation["operationId"]]
            _complete(operation, route_of(method, path))
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    made["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return made


def served() -> set[tuple[str, str, str]]:
    """(service, method, path) of everything the services serve below `/api/v1`, their streams left out."""
    return {
        (service, method, _shape(route.path))
        for service, routers in ROUTERS.items()
        for route in _api_routes(routers)
        for method in route.methods or ()
        if route.path != f"{API_PREFIX}/stream"
    }


def let_out() -> set[tuple[str, str, str]]:
    """(service, method, path) of the gateway's table."""
    return {(route.service, method, _shape(route.path)) for route in ROUTES for method in route.methods}


def route_of(method: str, path: str) -> Route | None:
    """The gateway's row for an operation; none for what the gateway serves itself."""
    for route in ROUTES:
        if _shape(route.path) == _shape(path) and method.upper() in route.methods:
            return route
    return None


def _routes() -> Iterable[APIRoute]:
    """The services' routes that the table lets out, then the gateway's own."""
    out = let_out()
    for service, routers in ROUTERS.items():
        for route in _api_routes(routers):
            if all((service, method, _shape(route.path)) in out for method in route.methods or ()):
                yield route
    yield from (route for route in _api_routes([gateway.router]) if route.include_in_schema)


def _api_routes(routers: Iterable[APIRouter]) -> list[APIRoute]:
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


def _shape(path: str) -> str:
    """The path without the names of its parameters: table and service may call them differently."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _complete(operation: Operation, route: Route | None) -> None:
    """What the code says elsewhere: the owner, who may call, how large a body may be, how errors look."""
    operation["tags"] = [route.service if route else "gateway"]
    operation["security"] = [{"bearer": []}] if route is None or route.bearer else []
    if route:
        operation["x-requests-per-minute"] = route.per_minute
    if route and "requestBody" in operation:
        operation["x-max-body-bytes"] = route.max_body_bytes
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = {"description": "A problem", "content": {PROBLEM_JSON: {"schema": _PROBLEM}}}
