"""Structured logs: one JSON object a line on standard output, constant event names, ids only, never personal data."""

import logging
import sys
import warnings
from typing import Any

import structlog

_LIBRARIES_THAT_TALK = ("aiokafka", "faststream", "uvicorn", "pymongo", "urllib3", "asyncio")


def configure(service: str, level: str = "INFO") -> None:
    """Send every log of this process, ours and the libraries', through one JSON renderer."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _service_name(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _exception_without_values,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # joserfc warns at every token that RFC 9864 renames EdDSA; our contract keeps the name clients know.
    warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _LIBRARIES_THAT_TALK:
        logging.getLogger(name).setLevel(logging.WARNING)
    # At every connection it warns that SASL/PLAIN runs without TLS: our listeners are inside the deployment.
    logging.getLogger("aiokafka.conn").setLevel(logging.ERROR)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of one module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _service_name(service: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add


def _exception_without_values(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep an exception's types and places, drop its text: drivers quote the values they refused."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if isinstance(error, tuple) and error[0] is not None:
        event["error"] = error[0].__name__
        event["at"] = _frames(error[2])
    return event


def _frames(traceback: Any) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-8:]
