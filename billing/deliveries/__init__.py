"""Documents by email: to whom, and in which words."""
