"""Filters (CQL2, SLD) as trees of conditions, and what they become: bound SQL, masks over columns in memory."""
