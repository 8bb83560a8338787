"""How a nation vouches for the audit logs that the hub keeps about it: what its guard does with an offer.

Not a node, but a part of one. It cosigns what continues all that it cosigned before, once that is kept;
anything else is written down as evidence, said in a notice, and not cosigned.
"""

from typing import Final

import msgspec

from beaconfire.audit.checkpoint import Checkpoint
from beaconfire.audit.witness import Witness
from beaconfire.messages.codec import encode
from beaconfire.messages.health import Arguments
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.messages.words import Lane, Nation, Severity
from beaconfire.nodes.commands import Append, Channel, Command, Keep, Now, Rows, Send, Table
from beaconfire.nodes.voice import Said, Voice
from beaconfire.release.attest import is_offer_good, sign_cosignature
from beaconfire.release.keys import Keyring, SigningKey

EVIDENCE_MAX: Final = 100
"""Offers written down as evidence by one process: a hub that forks once forks every minute."""


class Vouching:
    """The witness of one nation.

    Attributes:
        cosigned: checkpoints cosigned since start.
        refused: offers refused since start.
    """

    def __init__(self, nation: Nation, key: SigningKey, keyring: Keyring, rows: Rows) -> None:
        """Restore from the journal."""
        self._nation = nation
        self._key = key
        self._keyring = keyring
        self._voice = Voice(f"guard/{nation}", nation)
        self._witness = Witness(nation, rows.rows(Table.STATE))
        self.cosigned = 0
        self.refused = 0

    def take(self, offer: CheckpointOffer, hub: str, now: Now) -> list[Command]:
        """Cosign an offer of an instance of the hub, or say why not."""
        if not is_offer_good(offer, self._keyring):
            self.refused += 1
            return []
        try:
            said = msgspec.msgpack.decode(offer.body, type=Checkpoint)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.refused += 1
            return []
        flaw = self._witness.flaw_in(hub, said, offer.earlier_size, offer.proof)
        if said.log != offer.log:
            flaw = "a checkpoint of another log"
        if flaw:
            about: Arguments = {"hub": hub, "log": said.log, "count": said.size}
            return self._accuse(offer, Said("audit-fork", Severity.FAULT, f"{hub}: {flaw}", about), now)
        self.cosigned += 1
        key, body = self._witness.take(hub, said)
        word = Cosignature(
            party=self._nation, log=said.log, size=said.size, key_id=self._key.key_id, signature=b""
        )
        signed = sign_cosignature(word, offer.body, self._key)
        return [Keep(Table.STATE, key, body), Send(Channel.TO_HUB, hub, Lane.ROUTINE, signed)]

    def _accuse(self, offer: CheckpointOffer, charge: Said, now: Now) -> list[Command]:
        self.refused += 1
        commands: list[Command] = [self._voice.tell(charge, now)]
        if self.refused <= EVIDENCE_MAX:
            commands.append(Append(f"evidence/{self._nation}", encode(offer)))
        return commands
