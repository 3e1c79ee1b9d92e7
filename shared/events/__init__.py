"""The event contracts: one module per publisher, the envelope in `base`, the wire in `record`."""

from shared.events.catalogue import CATALOGUE

__all__ = ["CATALOGUE"]
