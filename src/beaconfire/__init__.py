"""Shared early warning of ballistic missile launches: simulated, notional, unaffiliated."""

__version__ = "0.1.0"
