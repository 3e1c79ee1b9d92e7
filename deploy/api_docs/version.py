"""The version of the public contracts, alike in paths (`/api/v1`) and topics (`….v1`)."""

from typing import Final

VERSION: Final = "1.0.0"
"""They only ever gain: the major number changes with the paths and topics."""
