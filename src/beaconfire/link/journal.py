"""What link asks its node to write: plain values, since link knows nothing of nodes or journals."""

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One row to insert or replace in the table the node gave link its rows from."""

    key: str
    body: bytes
