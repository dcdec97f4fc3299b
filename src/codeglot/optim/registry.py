"""Which optimizers there are: one file and one line each. No torch here; `build` loads the file it needs."""

OPTIMIZERS = {
    "adamw": "adamw",
    "muon": "muon",
    "sophia_g": "sophia",
    "sophia_h": "sophia",
    "lion": "sign",
    "signum": "sign",
}
"""Names for `optim.name`, and the module of this room whose function `build` makes it."""
