"""Resident processes that start every step in fresh namespaces, for a fraction of what a box from nothing costs."""
