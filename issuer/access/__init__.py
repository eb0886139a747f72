"""Staff accounts, roles, sessions, API tokens; who may do what."""
