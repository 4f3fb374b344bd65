"""Programs: fold events one by one, in every mode, late or in pieces."""
