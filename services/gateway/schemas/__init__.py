"""What the pages read of the services' answers, by tab. Tolerant: a field that no page shows is not named here."""
