"""What waits for staff: queues over all open cases, who has which case in hand, whole histories of persons."""
