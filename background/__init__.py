"""The lowest room, which every app uses and which imports no app: the queue, the chores of the reaper, refusals.

Apps name their jobs and chores by dotted names.
"""
