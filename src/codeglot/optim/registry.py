"""Which optimizers there are: one file and one line each. No torch here; `build` loads the file it needs."""

OPTIMIZERS = ("adamw", "muon")
"""Names for `optim.name`; each is a module of this room with a function `build`."""
