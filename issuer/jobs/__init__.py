"""Work in the background, embedded or on several machines."""
