"""Generator of made sample districts."""
