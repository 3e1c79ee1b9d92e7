"""The claims built again from what they were told, in this release's shape, beside those that are read; then swapped.

`orders` is the one row that says what is going on, `fence` what every batch of arrivals does about it, `rebuilder` the
part of the service that does it. Why no event can be lost: docs/adr/0026-rebuild.md.
"""
