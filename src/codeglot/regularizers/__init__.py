"""Penalties on what a method adds to a base."""
