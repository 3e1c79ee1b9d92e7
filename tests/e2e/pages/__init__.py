"""The portal's pages as a member sees them: what can be done there, found by what is written there."""
