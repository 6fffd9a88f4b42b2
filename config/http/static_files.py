"""Static files, compressed, at addresses with a version in them, which browsers may keep for ever."""

import gzip
import hashlib
import logging
import shutil
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import MissingFileError

log = logging.getLogger(__name__)
# gzip alone: brotli would save 35 kB of the player's 190, fetched once, and be one more package to install.
COMPRESSOR = Compressor(use_brotli=False, quiet=True)


class StaticFiles(WhiteNoiseMiddleware):
    """Compresses a file when it is first requested: most of the megabytes of files in packages never are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.unpacked: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        super().add_file_to_dictionary(url, path, stat_cache=stat_cache)
        if COMPRESSOR.should_compress(path):
            self.unpacked[url] = path

    def __call__(self, request: HttpRequest) -> HttpResponseBase:  # type: ignore[override]  # as a middleware is called
        path = self.unpacked.pop(request.path_info, None)
        if path:
            self.pack(request.path_info, Path(path))
        response: HttpResponseBase = super().__call__(request)
        return response

    def pack(self, url: str, path: Path) -> None:
        try:
            self.files[url] = self.get_static_file(str(packed_copy(path)), url)
        except (OSError, MissingFileError) as error:
            log.warning("%s is served uncompressed: %s", url, error)

    def immutable_file_test(self, path: str, url: str) -> bool:
        """True in production: every address has the version in it. Developers see their changes at once."""
        return not self.autorefresh


def packed_copy(path: Path) -> Path:
    """A copy of the file with a compressed one beside it, where WhiteNoise looks; made once per name and content."""
    content = path.read_bytes()
    folder = settings.STATIC_CACHE / hashlib.sha256(path.name.encode() + content).hexdigest()[:32]
    copy = folder / path.name
    if is_intact(copy, content):
        return copy
    with tempfile.TemporaryDirectory(dir=settings.STATIC_CACHE, ignore_cleanup_errors=True) as name:
        work = Path(name, folder.name)
        work.mkdir()
        COMPRESSOR.compress(shutil.copy2(path, work))
        shutil.rmtree(folder, ignore_errors=True)  # an incomplete one
        # Another process may have been faster. Then the rename fails, and the other copy is as good.
        with suppress(OSError):
            work.rename(folder)
    return copy


def is_intact(copy: Path, content: bytes) -> bool:
    """False also after a power cut that left the folder without the contents of its files."""
    packed = copy.with_name(f"{copy.name}.gz")
    try:
        return copy.read_bytes() == content and (not packed.exists() or gzip.decompress(packed.read_bytes()) == content)
    except (OSError, EOFError, zlib.error):
        return False
