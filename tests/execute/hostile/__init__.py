"""Programs that mean harm, over every isolation level; each is bounded, so that without a sandbox it does little."""
