"""A supervisor of fake programs, in a process of its own: `python -m local.tests.stand '{"name": ["sh", …]}'`."""

import json
import os
import sys
from pathlib import Path

from local.programs import Program, Timing
from local.supervise import Stopped, Supervisor


def main() -> None:
    timing = Timing(first_delay_s=0.1, max_delay_s=0.4, patience_s=float(os.environ.get("PATIENCE_S", "1")))
    supervisor = Supervisor(os.environ, Path.cwd(), timing)
    children = [supervisor.start(Program(name, argv)) for name, argv in json.loads(sys.argv[1]).items()]
    try:
        supervisor.run()
    except Stopped:
        supervisor.stop(last=[child for child in children if child.program.name == "last"])
    print("over", flush=True)


if __name__ == "__main__":
    main()
