"""A name for the content of all static files, so that their addresses change with it; standard library only."""

import hashlib
from pathlib import Path


def static_version(project: Path) -> str:
    """Twelve characters of a hash of `static/` and requirements.txt, which pins the packages with more files."""
    digest = hashlib.sha256()
    for path in (project / "requirements.txt", *sorted((project / "static").rglob("*"))):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes())
            digest.update(f"{path.relative_to(project).as_posix()} {content.hexdigest()}\n".encode())
    return digest.hexdigest()[:12]
