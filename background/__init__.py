"""What every app stands on: the queue that workers take jobs from, the chores of the reaper, the refusals of services.

The bottom room: it knows no app. Apps name their jobs and chores by dotted names.
"""
