"""Public pages and API."""
