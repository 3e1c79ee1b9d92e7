"""documents: what members send to the insurer and receive from it."""
