"""The built-in catalogue of publicly reported launches, by flight id. What is flown is simulated."""

from beaconfire.errors import UsageError
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.launches import Launch


def catalogue() -> dict[str, Launch]:
    """Return the built-in launches by flight id (Korean date), in order of time."""
    return {launch.launch_id: launch for launch in shipped_flights()}


def find_launch(flight_id: str) -> Launch:
    """Return the built-in launch with this id.

    Raises:
        UsageError: there is none; says which there are on or near that date.
    """
    known = catalogue()
    if flight_id in known:
        return known[flight_id]
    same_day = [name for name in known if name[:10] == flight_id[:10]]
    raise UsageError(f"no flight {flight_id[:20]!r}", "--flight", ", ".join(same_day or known))
