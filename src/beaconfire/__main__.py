"""`python -m beaconfire`: the same as the command `beaconfire`."""

import sys

from beaconfire.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
