"""Filters: what CQL2 and SLD conditions mean, as masks over held columns and as SQL."""
