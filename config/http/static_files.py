"""Static files at addresses with a version in them: kept by browsers for ever, and compressed."""

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
    """A file is compressed when it is first asked for: of the megabytes that packages bring, most never are."""

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
        """Every address has the version in it, which developers who change the files do not wait for."""
        return not self.autorefresh


def packed_copy(path: Path) -> Path:
    """The file with a compressed one beside it, where WhiteNoise looks for it; made once for every name and content."""
    content = path.read_bytes()
    folder = settings.STATIC_CACHE / hashlib.sha256(path.name.encode() + content).hexdigest()[:32]
    copy = folder / path.name
    if not is_intact(copy, content):
        make_copy(path, folder)
    return copy


def is_intact(copy: Path, content: bytes) -> bool:
    """After a power cut a folder may be there without what was written into it."""
    try:
        return copy.read_bytes() == content and is_packed(copy, content)
    except (OSError, EOFError, zlib.error):
        return False


def is_packed(copy: Path, content: bytes) -> bool:
    packed = copy.with_name(f"{copy.name}.gz")
    return not packed.exists() or gzip.decompress(packed.read_bytes()) == content


def make_copy(path: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=settings.STATIC_CACHE, ignore_cleanup_errors=True) as name:
        work = Path(name, folder.name)
        work.mkdir()
        COMPRESSOR.compress(shutil.copy2(path, work))
        shutil.rmtree(folder, ignore_errors=True)  # what is not whole
        with suppress(OSError):  # another process was faster; whoever was slower checks by reading
            work.rename(folder)
