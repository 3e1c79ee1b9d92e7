"""Who may come in: accounts, identifiers, passwords, sessions. See README.md."""
