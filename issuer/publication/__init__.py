"""From the private side to the public record: the outbox, and the relay that empties it."""
