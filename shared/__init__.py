"""Plumbing and contracts that every service uses; never a business rule."""
