"""The released weights: read as files, never imported for code."""
