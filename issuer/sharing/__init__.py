"""Telling employers who asked for it when a certificate changes: watches, messages, mail and signed webhooks."""
