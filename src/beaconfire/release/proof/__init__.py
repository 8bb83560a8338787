"""Proof of an arrangement before it is adopted: its policies as a problem for an SMT solver.

The only place that imports the solver; nothing that runs in an installation imports this package.
"""
