"""Fixes the environment before Django reads it: tests never see a developer's own settings.

Only the database may be chosen from outside (DATABASE_URL), so that the same tests run on SQLite and PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile

data_dir = tempfile.mkdtemp(prefix="videoflix-tests-")
atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
os.environ.update(
    {
        "ENV_FILE": "",
        "DATA_DIR": data_dir,
        "MEDIA_ROOT": f"{data_dir}/media",
        "SECRET_KEY": "a-secret-for-tests-only-0123456789abcdefghij",
        "BACKEND_ORIGIN": "http://testserver",
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        # Nothing listens here: a test that needs Redis starts one and says where (the `redis_url` fixture).
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
)
for name in ("DEFAULT_ADMIN_EMAIL", "DEFAULT_ADMIN_PASSWORD", "VIDEO_LADDER", "FFMPEG_BIN", "DEBUG"):
    os.environ.pop(name, None)
