"""Gravity, drag, propagation, ground impact: how a body flies, nothing of how to build one."""
