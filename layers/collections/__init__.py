"""Collections of OGC API Features: how they are described, asked and changed."""
