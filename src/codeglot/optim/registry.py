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
USUAL = {
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8},
    "muon": {"betas": (0.9, 0.999), "eps": 1e-8},
    "sophia_g": {"betas": (0.965, 0.99), "eps": 1e-12},
    "sophia_h": {"betas": (0.965, 0.99), "eps": 1e-12},
    "lion": {"betas": (0.9, 0.99), "eps": 1e-8},
    "signum": {"betas": (0.9, 0.99), "eps": 1e-8},
}
"""What its authors take where a run file says nothing; the last two divide by nothing."""
