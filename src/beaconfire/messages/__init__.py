"""Frozen types that are also the wire: one definition for MessagePack, JSON and the schema."""
