"""The platform as `make up` runs it, without the web server: Redis, a worker, one for short jobs, the database."""

import os
import sys
import time
from pathlib import Path

from tests import services

POLL_S = 0.02
MAX_S = 1800


class Platform:
    def __init__(self, folder: Path, *, preset: str, crf: str) -> None:
        folder.mkdir(parents=True)
        self.programs = services.Platform(folder)
        self.programs.env |= {"VIDEO_PRESET": preset, "VIDEO_CRF": crf, "LEASE_SECONDS": "30"}
        os.environ.update(self.programs.env)
        self.programs.start_redis()
        self.programs.bootstrap()
        self.programs.start("worker", sys.executable, "manage.py", "rqworker", "--verbosity", "0", "media")
        self.programs.start("errands", sys.executable, "manage.py", "rqworker", "--verbosity", "0", "default")
        # This process adds films and reads their state; its own time is not measured.
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        services.wait_for(self.has_workers, what="the workers")

    def has_workers(self) -> bool:
        import django_rq
        from rq import Worker

        return Worker.count(connection=django_rq.get_connection("media")) == 2

    def worker_pids(self) -> list[int]:
        return [self.programs.programs[name].pid for name in ("worker", "errands")]

    def add(self, clip: Path) -> int:
        """A video that is `pending` when this returns, its jobs on the queue."""
        from django.core.files import File

        from content_app.models import Video
        from users_app.models import User

        owner = User.objects.get(email=services.ADMIN_EMAIL)
        with clip.open("rb") as file:
            video = Video(owner=owner, title=clip.stem, original_name=clip.name, original_bytes=clip.stat().st_size)
            video.video_file = File(file, name=clip.name)
            video.save()
        return video.pk

    def wait_until_ready(self, video_id: int) -> None:
        from content_app.models import Video
        from content_app.states import State

        deadline = time.monotonic() + MAX_S
        while (video := Video.objects.get(pk=video_id)).state != State.READY:
            if video.state == State.ERROR or time.monotonic() > deadline:
                reason = f"{video.run.error_message} {video.run.error_code}" if video.run else ""
                raise SystemExit(f"Video {video_id} is {video.state}: {reason}")
            time.sleep(POLL_S)

    def version_folder(self, video_id: int) -> Path:
        from content_app.models import Video

        return self.programs.folder / "media" / Video.objects.get(pk=video_id).key_prefix

    def stop(self) -> None:
        self.programs.stop()
