"""English: the whole name of a month, always."""

DATE_FORMAT = "F j, Y"
