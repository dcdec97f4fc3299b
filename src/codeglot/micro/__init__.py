"""The bundled world: small problems in every programming and natural language, and the bases trained on them."""
