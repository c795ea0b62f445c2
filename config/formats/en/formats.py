"""English, with full names of months."""

DATE_FORMAT = "F j, Y"
