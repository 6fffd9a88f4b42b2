"""Stores a finished version, the master playlist last, so that everything it names is there."""

from pathlib import Path

from media_pipeline import layout
from media_pipeline.storage.store import NewObject, Store, Tick


def publish(folder: Path, store: Store, prefix: str, on_tick: Tick = lambda: None) -> int:
    """Stores every file of the folder under `prefix/` and returns the bytes stored. `on_tick` may raise to stop."""
    stored = 0
    for names in layout.publishing_steps([path.name for path in folder.iterdir()]):
        objects = [NewObject(folder / name, f"{prefix}/{name}", layout.content_type(name)) for name in names]
        store.put_all(objects, on_tick)
        stored += sum(one.path.stat().st_size for one in objects)
    return stored
