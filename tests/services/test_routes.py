"""What every service's routes have in common."""

from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from deploy.api_docs.openapi import ROUTERS
from services.gateway import api, pages
from shared.app import metrics_router

_EVERY: list[APIRouter] = [
    *(router for routers in ROUTERS.values() for router in routers),
    api.router,
    api.unknown_router(),
    *pages.routers(components_page=True),
    metrics_router(),
]


def test_no_request_waits_for_a_thread() -> None:
    """FastAPI calls what is no coroutine in a thread: twice the way from a thread and back costs more than it does."""
    routes = [route for router in _EVERY for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) > 50
    in_threads = {
        call.__qualname__ for route in routes for call in _calls(route.dependant) if not iscoroutinefunction(call)
    }
    assert in_threads == set()


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call:
        yield dependant.call
    for needed in dependant.dependencies:
        yield from _calls(needed)
