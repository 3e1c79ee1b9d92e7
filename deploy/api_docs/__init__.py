"""The public contracts as documents: `docs/openapi.json` and `docs/asyncapi.yaml`, made from the running code."""
