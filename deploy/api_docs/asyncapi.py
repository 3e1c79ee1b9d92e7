"""AsyncAPI 3.0 of the events: topics, messages with their headers and keys, who publishes and who follows."""

from typing import Any, Final

from deploy.api_docs.version import VERSION
from deploy.topology import DAY_S, MIB, OPERATORS, PRINCIPALS, TOPICS, Principal, Topic
from shared.events import CATALOGUE
from shared.events.base import EventData

_REPLICATION: Final = 1
"""As the native stack and compose run it; a cluster has more."""

Schema = dict[str, Any]


def document() -> dict[str, Any]:
    """The whole document."""
    schemas: Schema = {}
    messages = {name: _message(event, schemas) for events in CATALOGUE.values() for name, event in events.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Espace Assuré: events",
            "version": VERSION,
            "description": (
                "CloudEvents 1.0 in Kafka's binary mode: the headers carry the attributes, the value is the JSON data, "
                "the key is the member number as ASCII bytes. Contracts only ever gain optional fields. A record that "
                "breaks its contract is announced on `<topic>.dead` with its headers and key and no value."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            name: operation for principal in PRINCIPALS for name, operation in _operations(principal).items()
        },
        "components": {
            "messages": {**messages, "DeadLetter": _dead_letter()},
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    names = list(CATALOGUE.get(topic.name, {"DeadLetter": EventData}))
    return {
        "address": topic.name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": _kafka(
            topic=topic.name,
            partitions=topic.partitions,
            replicas=_REPLICATION,
            topicConfiguration={
                "cleanup.policy": ["delete"],
                "retention.ms": topic.retention_days * DAY_S * 1000,
                "retention.bytes": topic.max_partition_mib * MIB,
                "max.message.bytes": topic.max_message_kib * 1024,
            },
        ),
    }


def _kafka(**binding: Any) -> dict[str, Any]:
    return {"kafka": {**binding, "bindingVersion": "0.5.0"}}


def _operations(principal: Principal) -> dict[str, Any]:
    """What a service does with each topic. The operators' principal stands for the internal systems: it only sends."""
    reads = () if principal.name == OPERATORS else principal.reads
    sends = {
        f"{principal.name} sends {topic}": {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}}
        for topic in principal.writes
    }
    receives = {
        f"{principal.name} receives {topic}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{topic}"},
            "bindings": {
                "kafka": {"groupId": {"type": "string", "enum": [principal.group]}, "bindingVersion": "0.5.0"}
            },
        }
        for topic in reads
    }
    return sends | receives


def _message(event: type[EventData], schemas: Schema) -> dict[str, Any]:
    payload = event.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(payload.pop("$defs", {}))
    schemas[event.__name__] = payload
    return {
        "name": event.__name__,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().split("\n")[0],
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "headers": {
            "type": "object",
            "properties": {"ce_type": {"const": event.__name__}, "ce_source": {"const": event.source}},
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": _kafka(key=_key()),
    }


def _key() -> Schema:
    return {"type": "string", "pattern": "^[0-9]{8}$", "description": "The member number, equal to the data's."}


def _headers() -> Schema:
    """Every header's value is UTF-8 text."""
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "description": "Unique per source; a redelivery keeps it."},
            "ce_source": {"type": "string", "format": "uri-reference"},
            "ce_type": {"type": "string"},
            "ce_time": {"type": "string", "format": "date-time", "description": "When it happened; RFC 3339."},
            "ce_subject": {"type": "string", "description": "The id of the thing: claim, document, message."},
            "content-type": {"const": "application/json"},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
        },
    }


def _dead_letter() -> dict[str, Any]:
    fields = ("dl_reason", "dl_consumer", "dl_topic", "dl_partition", "dl_offset")
    return {
        "name": "DeadLetter",
        "title": "DeadLetter",
        "summary": "A record that a consumer refused: its own headers and key, these headers besides, no value.",
        "headers": {
            "type": "object",
            "required": list(fields),
            "properties": {field: {"type": "string"} for field in fields},
        },
        "payload": {"type": "null"},
    }
