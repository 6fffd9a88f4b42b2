"""A viewer who requests a large catalogue many times at once takes a bounded part of the web server's memory."""

from pathlib import Path

from tests.many_films import ask_at_once, fill, memory_mb
from tests.services import web_alone

FILMS = 2000
# Measured: some 390 MB with every thread in use, and 990 MB if all 24 lists were made at once.
MOST_MB = 600


def test_memory_stays_bounded_while_a_viewer_asks_for_everything_24_times(
    tmp_path: Path, prepared_database: Path
) -> None:
    with web_alone(tmp_path, prepared_database) as platform:
        client = fill(platform, FILMS)
        statuses = ask_at_once(client, 24)
        memory = memory_mb(platform)
        assert statuses[200] >= 1
        assert statuses[200] + statuses[503] == 24, statuses
        assert memory < MOST_MB
        # The next request is served.
        assert len(client.get("/content/").json()) == FILMS
