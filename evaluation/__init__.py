"""Measures models on labelled quotes and writes reports; see ``evaluation/README.md``."""
