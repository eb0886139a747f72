"""The private HTTP API: thin endpoints over the services, each with declared roles."""
