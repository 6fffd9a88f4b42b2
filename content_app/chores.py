"""What the reaper does for this app in each of its rounds, by dotted names of functions without arguments."""

CHORES = (
    # First: what an old worker has finished must not be made again.
    "content_app.services.processing.takeover.take_over_older_rows",
    "content_app.services.processing.lifecycle.take_back_expired",
    "content_app.services.processing.backlog.enqueue_waiting",
    "content_app.services.uploads.tus.sweep",
    "content_app.services.uploads.direct_uploads.settle_overdue_uploads",
    "content_app.services.storage.discards.remove_due",
    "content_app.services.processing.encoding.sweep_scratch",
    "content_app.services.storage.brief_folders.sweep_brief_folders",
    "content_app.services.storage.work_folder.drop_kept",
    "content_app.services.uploads.half_received.sweep_incoming",
    "content_app.services.reaper_rounds.note_round",  # last: it records that all others have had their turn
)
