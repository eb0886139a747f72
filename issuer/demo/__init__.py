"""A whole example from nothing: invented people, both rounds, issue, an invalidation, a refused paper request."""
