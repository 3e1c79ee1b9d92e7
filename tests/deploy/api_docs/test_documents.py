"""The documents say what the code does: they are made anew here and compared, and the golden examples fit them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from deploy.api_docs import asyncapi, openapi
from deploy.api_docs.documents import DOCUMENTS
from shared.app import API_PREFIX
from tests.shared.events.examples import NAMES, golden


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_document_is_what_the_code_says_now(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path](), f"docs/{path.name} is old: make docs"


def test_the_http_document_is_valid_openapi_with_names_of_its_own() -> None:
    document = openapi.document()
    validate(document)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert not [name for name in document["components"]["schemas"] if "__" in name]  # two services, one name


def test_every_path_a_service_serves_is_let_out_by_the_gateway() -> None:
    assert openapi.served() - openapi.let_out() == set()


def test_an_operation_says_who_may_call_it_and_how_large_a_body_may_be() -> None:
    paths = openapi.document()["paths"]
    assert paths[f"{API_PREFIX}/session"]["post"]["security"] == []
    assert paths[f"{API_PREFIX}/session"]["post"]["x-max-body-bytes"] == 16_384
    assert paths[f"{API_PREFIX}/reimbursements"]["get"]["security"] == [{"bearer": []}]
    assert paths[f"{API_PREFIX}/stream"]["get"]["responses"]["200"]["content"] == {"text/event-stream": {}}


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_example_fits_the_documented_message(name: str) -> None:
    document = asyncapi.document()
    example = golden(name)
    message = document["components"]["messages"][name]
    assert name in document["channels"][example["topic"]]["messages"]
    for schema, instance in (
        (message["payload"], example["data"]),
        (message["headers"], example["headers"]),
        (document["components"]["messageTraits"]["cloudEvent"]["headers"], example["headers"]),
        (message["bindings"]["kafka"]["key"], example["key"]),
    ):
        _fits(document, schema, instance)


def test_a_message_that_breaks_its_contract_does_not_fit_the_document() -> None:
    document = asyncapi.document()
    payload = document["components"]["messages"]["ClaimPaid"]["payload"]
    for change in ({"amount_cents": "7.00"}, {"member_number": "1"}, {"lines": None}):
        assert not _validator(document, payload).is_valid(golden("ClaimPaid")["data"] | change)


def test_yaml_reads_back_as_what_was_written() -> None:
    path = next(path for path in DOCUMENTS if path.suffix == ".yaml")
    assert yaml.safe_load(DOCUMENTS[path]()) == json.loads(json.dumps(asyncapi.document()))


def _fits(document: dict[str, Any], schema: dict[str, Any], instance: object) -> None:
    _validator(document, schema).validate(instance)


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})
