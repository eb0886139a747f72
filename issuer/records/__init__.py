"""Tables and repositories of the private side, one family a module; the unit of work; encrypted columns."""
