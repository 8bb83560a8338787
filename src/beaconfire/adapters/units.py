"""systemd units of one end: its processes, one instance of a template each, and its message servers."""

from pathlib import Path
from typing import Final

_HARDENED: Final = """NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
ReadWritePaths={folder}"""

_PROCESS: Final = """[Unit]
Description=beaconfire %i of {end}
After=network-online.target {user}-server.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User={user}
WorkingDirectory={folder}
ExecStart={program}/bin/beaconfire run %i --config {folder}/%i.json
Restart=always
RestartSec=100ms
{hardened}
MemoryMax=2G
TasksMax=64

[Install]
WantedBy=multi-user.target
"""

_SERVER: Final = """[Unit]
Description=message server of {end}
StartLimitIntervalSec=0

[Service]
User={user}
WorkingDirectory={folder}
ExecStart={program}/bin/nats-server -c {folder}/{server}.conf
ExecReload={program}/bin/nats-server --signal reload=$MAINPID
Restart=always
RestartSec=100ms
{hardened}

[Install]
WantedBy=multi-user.target
"""


def unit_files(folder: Path, end: str, user: str, program: str, servers: tuple[str, ...]) -> dict[str, str]:
    """Return the units of an end by file name.

    Args:
        folder: where its configuration and journals are.
        end: nation or instance of the hub.
        user: of the processes; the units bear its name, so that an exercise stands beside live.
        program: folder that holds `bin/beaconfire`.
        servers: names of its servers' files.
    """
    hardened = _HARDENED.format(folder=folder)
    found = {
        f"{user}@.service": _PROCESS.format(
            folder=folder, end=end, user=user, program=program, hardened=hardened
        )
    }
    for server in servers:
        found[f"{user}-{server}.service"] = _SERVER.format(
            folder=folder, end=end, user=user, program=program, hardened=hardened, server=server
        )
    return found
