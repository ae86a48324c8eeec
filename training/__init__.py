"""Trains the released weights; installed as ``stance.training``."""
