"""The private side: rosters, review, issue, invalidation, paper. It knows people."""
