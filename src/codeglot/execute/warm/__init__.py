"""What is kept ready between programs: one file per strategy, chosen by the language."""
