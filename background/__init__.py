"""How work gets done outside of requests: the queue that workers take jobs from, and the chores of the reaper.

The bottom room: it knows no app. Apps name their jobs and chores by dotted names.
"""
