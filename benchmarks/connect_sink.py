"""What a team would put in place of our own taking in: Kafka Connect with MongoDB's sink.

One worker, standalone, that reads claims.v1 and replaces each claim's document by the event's value: each event's write
is repeatable and committed as ours are, to the majority with the journal flushed. No contract, no inbox, no log, no
dead letters; an event that comes late overwrites.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.paths import cache_folder
from deploy.local.ports import HOST, free_port
from deploy.local.processes import Process, Processes
from deploy.local.secrets import write_private
from deploy.local.servers.program import base_environment
from deploy.local.tools import Toolbox

HEAP_MIB: Final = 512
_STRINGS: Final = "org.apache.kafka.connect.storage.StringConverter"
_STRATEGIES: Final = "com.mongodb.kafka.connect.sink"
_WRITING: Final = {
    # Text, which the sink makes documents of itself: a third less processor time an event than with JsonConverter
    # (without schemas) and with headers whose types are guessed, Connect's default.
    **{f"{part}.converter": _STRINGS for part in ("key", "value", "header")},
    # The business key is the `_id`, as in the bare loop. The strategies named after business keys need a unique index
    # of their own beside it: MongoDB takes nearly twice the time.
    "document.id.strategy": f"{_STRATEGIES}.processor.id.strategy.PartialValueStrategy",
    "document.id.strategy.partial.value.projection.list": "member_number,claim_id",
    "document.id.strategy.partial.value.projection.type": "AllowList",
    "writemodel.strategy": f"{_STRATEGIES}.writemodel.strategy.ReplaceOneDefaultStrategy",
    "bulk.write.ordered": "false",
    "max.batch.size": "500",
}


def start(collection: str, folder: Path, environment: Mapping[str, str], processes: Processes) -> Process:
    """Start the sink where the bare loop of this collection was marked to begin; fetch it the first time."""
    toolbox = Toolbox(cache_folder(), processes)
    files = [folder / f"{collection}-{part}.properties" for part in ("worker", "connector")]
    offsets = folder / f"{collection}.offsets"
    for file, settings in zip(files, (_worker(environment, offsets), _connector(collection, environment)), strict=True):
        write_private(file, "".join(f"{key}={value}\n" for key, value in settings.items()))
    java = [str(toolbox.java()), f"-Xmx{HEAP_MIB}m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    worker = ["-cp", toolbox.connect_jars(), "org.apache.kafka.connect.cli.ConnectStandalone", *map(str, files)]
    return processes.start(f"connect-{collection}", [*java, *worker], base_environment(), folder)


def _worker(environment: Mapping[str, str], offsets: Path) -> dict[str, str]:
    user, password = environment["KAFKA_USERNAME"], environment["KAFKA_PASSWORD"]
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    access = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{login} username="{user}" password="{password}";',
    }
    return {
        "bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
        **access,
        **{f"consumer.{key}": value for key, value in access.items()},
        "listeners": f"http://{HOST}:{free_port()}",
        "offset.storage.file.filename": str(offsets),  # asked for; only sources write there
        "key.converter": _STRINGS,
        "value.converter": _STRINGS,
    }


def _connector(collection: str, environment: Mapping[str, str]) -> dict[str, str]:
    return {
        "name": collection,
        "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
        "tasks.max": "1",  # a second one gains little on two cores, and is to be compared with two processes
        "topics": "claims.v1",
        # The group that `bare_loop mark` commits for; the operators may not use Connect's own, `connect-…`.
        "consumer.override.group.id": f"portal-{collection}",
        "connection.uri": f"{environment['MONGO_URL']}&w=majority&journal=true",
        "database": environment["MONGO_DATABASE"],
        "collection": collection,
        **_WRITING,
    }
