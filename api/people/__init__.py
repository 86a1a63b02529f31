"""People and tokens, for administrators."""
