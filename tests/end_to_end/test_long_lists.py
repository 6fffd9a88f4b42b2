"""One viewer who asks for a large catalogue again and again takes a bounded part of the web server's memory."""

from pathlib import Path

from tests.many_films import ask_at_once, fill, memory_mb
from tests.services import web_alone

FILMS = 2000
# Made 24 times at once, the lists took ten times as much.
MOST_GROWTH_MB = 120


def test_memory_stays_bounded_while_a_viewer_asks_for_everything_24_times(
    tmp_path: Path, prepared_database: Path
) -> None:
    with web_alone(tmp_path, prepared_database) as platform:
        client = fill(platform, FILMS)
        # Every thread has its connection before it is measured.
        assert ask_at_once(client, 64, "/content/?search=Film%201999")[200] == 64
        before = memory_mb(platform)
        statuses = ask_at_once(client, 24)
        grown = memory_mb(platform) - before
        assert statuses[200] >= 1
        assert statuses[200] + statuses[503] == 24, statuses
        assert grown < MOST_GROWTH_MB, f"{before} MB have grown by {grown}"
        # And the next one is served.
        assert len(client.get("/content/").json()) == FILMS
