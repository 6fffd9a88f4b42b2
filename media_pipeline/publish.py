"""Stores a finished version, the master playlist last, so that what is listed is there."""

from collections.abc import Callable
from pathlib import Path

from media_pipeline import layout
from media_pipeline.store import Store


def publish(folder: Path, store: Store, prefix: str, on_object: Callable[[], None] = lambda: None) -> int:
    """Store every file of the folder under `prefix/`; returns the bytes stored. `on_object` may raise to stop."""
    stored = 0
    for name in layout.publishing_order([path.name for path in folder.iterdir()]):
        store.put(folder / name, f"{prefix}/{name}", layout.content_type(name))
        stored += (folder / name).stat().st_size
        on_object()
    return stored
