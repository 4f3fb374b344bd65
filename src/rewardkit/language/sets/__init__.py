"""Many conditions at once: one step of one user costs what it changes, and not what there is."""
