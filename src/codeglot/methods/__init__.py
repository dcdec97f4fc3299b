"""Ways to adapt a base model: one file or folder per method."""
