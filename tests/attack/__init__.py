"""Several processes do everything at once to a few accounts; then every invariant is checked: `make attack`."""
