"""One user's events and the passing of time, folded over what is open for her."""
