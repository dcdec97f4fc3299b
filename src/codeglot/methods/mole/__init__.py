"""Mixture of language experts: low-rank experts of which each token meets those of its language."""
