"""The one error of provisioning."""


class ProvisioningError(Exception):
    """A server refused a part of the topology; the message names the server and the part, never a secret."""
