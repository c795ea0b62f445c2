"""Notices by email: which there are, to whom, in which words, and how they get there."""
