"""Notices by email: their kinds, recipients, wording and delivery."""
