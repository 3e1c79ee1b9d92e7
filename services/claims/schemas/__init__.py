"""What the claims API says, one module each answer. Money in integer euro cents; dates `YYYY-MM-DD`."""
