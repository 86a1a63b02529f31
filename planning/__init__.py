"""Decisions about space: units, partition, networks, service circles."""
