"""Filters (CQL2) as trees of conditions, and what they become: bound SQL, masks over columns in memory."""
