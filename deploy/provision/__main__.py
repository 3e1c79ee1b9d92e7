"""``python -m deploy.provision``: apply the topology to the servers named in the environment."""

from __future__ import annotations

import os
import sys

from deploy.provision.apply import apply
from deploy.provision.errors import ProvisioningError
from deploy.provision.settings import Servers


def main() -> int:
    """Exit code 0 when everything is as listed, 78 (EX_CONFIG) for missing settings, 1 otherwise."""
    try:
        servers = Servers.from_environment(os.environ)
    except (ProvisioningError, ValueError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 78
    try:
        apply(servers)
    except ProvisioningError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    print("provision: topics, rights, users and buckets are as listed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
