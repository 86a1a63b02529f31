"""/api/v1/heat: where, when and how unusually often reports come."""
