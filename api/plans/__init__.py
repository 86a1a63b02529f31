"""/api/v1/plans and /api/v1/generations: drafts, what is said of them, comparing, publishing, rolling back."""
