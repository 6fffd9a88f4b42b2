"""Names what the static files contain, so that their addresses change with them; standard library only."""

import hashlib
from pathlib import Path


def static_version(project: Path) -> str:
    """Of our own files, and of the packages that bring others: those are pinned in requirements.txt."""
    digest = hashlib.sha256()
    for path in (project / "requirements.txt", *sorted((project / "static").rglob("*"))):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes())
            digest.update(f"{path.relative_to(project).as_posix()} {content.hexdigest()}\n".encode())
    return digest.hexdigest()[:12]
