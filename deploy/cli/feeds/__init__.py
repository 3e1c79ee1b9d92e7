"""Feed files: what an internal system that cannot publish to Kafka hands over, as NDJSON or CSV (docs/feeds.md)."""
