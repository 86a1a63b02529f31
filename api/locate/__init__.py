"""/api/v1/locate: whose grid a place lies in, the chain above it, and how sure that is."""
