"""The formats of days and numbers in each language, if they differ from Django's."""
