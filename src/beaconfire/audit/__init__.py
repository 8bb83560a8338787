"""Merkle log and journal records: what was done, provable later."""
