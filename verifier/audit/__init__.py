"""The audit from outside: do the log, the status lists and the register tell one story, and the same as last time?"""
