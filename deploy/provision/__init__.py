"""Brings running servers to what ``deploy.topology`` lists. Applying it again changes nothing.

``apply(Servers(...))`` from Python, ``python -m deploy.provision`` from a shell (settings: see ``settings.py``).
"""

from deploy.provision.apply import apply
from deploy.provision.errors import ProvisioningError
from deploy.provision.settings import KafkaServer, MinioServer, MongoServer, Servers

__all__ = ["KafkaServer", "MinioServer", "MongoServer", "ProvisioningError", "Servers", "apply"]
