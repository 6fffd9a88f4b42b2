"""The making of a version: runs, and the chunks that workers take."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from background.leases import Leased, LeasedQuerySet
from content_app.models.video import MAX_FILE_NAME_LENGTH, Video
from content_app.states import LIVE_RUNS, RunState

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Run(Leased):
    """One making of one original: it ends with a version, or with the reason why there is none.

    `report` (of the probe) and `settings` (of the plan) are stored with it, so that every worker computes the same plan
    without reading the original again. A file that was refused before any worker took it is a run that has failed.
    """

    video = models.ForeignKey("content_app.Video", on_delete=models.CASCADE, related_name="runs")
    original = models.CharField(max_length=200, blank=True, help_text="The key; empty when the file was not kept.")
    # Of an object that a client put into the bucket itself. The client could overwrite the key after the check; the
    # worker therefore reads only the object that was checked.
    etag = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, help_text="As the uploader calls the file.")
    size_bytes = models.PositiveBigIntegerField(default=0)

    # What media_pipeline.probe reported, and the PlanSettings in force when the original was first planned.
    report = models.JSONField(null=True)
    settings = models.JSONField(null=True)
    # The same for people: what was found, what is planned and why; see services.processing.preflight.
    verdict = models.JSONField(null=True)

    state = models.CharField(max_length=10, choices=RunState, default=RunState.WAITING)
    queued_at = models.DateTimeField(default=timezone.now)
    progress = models.PositiveSmallIntegerField(default=0)
    time_left_s = models.PositiveIntegerField(null=True)
    # The latest estimate of how long the whole encode takes; see services.processing.forecast.
    estimate_s = models.PositiveIntegerField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    error_is_final = models.BooleanField(default=False, help_text="The same file fails the same way.")
    ended_at = models.DateTimeField(null=True)
    # Where the version's objects are, as Version.folder has it; kept when a later version has replaced this one.
    folder = models.CharField(max_length=32, blank=True)
    # How much work the version was, and how long it took: later estimates are derived from it.
    work_pixels = models.PositiveBigIntegerField(default=0)
    work_s = models.FloatField(default=0)

    objects = LeasedQuerySet["Run"].as_manager()
    chunks: "RelatedManager[Chunk]"

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["state", "free_at"], name="run_state_free"),
            models.Index(fields=["original"], name="run_original"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["video"], condition=Q(state__in=LIVE_RUNS), name="one_live_run_per_video"),
            models.CheckConstraint(
                name="run_is_leased_while_it_runs",
                condition=Q(state=RunState.RUNNING, lease_token__isnull=False, free_at__isnull=False)
                | (~Q(state=RunState.RUNNING) & Q(lease_token=None)),
            ),
            models.CheckConstraint(
                name="run_failed_for_a_reason",
                condition=(Q(state=RunState.FAILED) & ~Q(error_code=""))
                | (~Q(state=RunState.FAILED) & Q(error_code="")),
            ),
            models.CheckConstraint(
                name="run_ended_when_it_is_over",
                condition=Q(state__in=LIVE_RUNS, ended_at=None) | (~Q(state__in=LIVE_RUNS) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="run_live_with_an_original", condition=~Q(state__in=LIVE_RUNS) | ~Q(original="")
            ),
            models.CheckConstraint(name="run_done_has_a_folder", condition=~Q(state=RunState.DONE) | ~Q(folder="")),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.original or 'a file'}: {self.get_state_display()}"

    def held(self) -> "models.QuerySet[Run]":
        # While a film is deleted, no worker may write to its runs. They go on when the film is restored.
        held: models.QuerySet[Run] = super().held()
        return held.filter(of_kept_film())


def of_kept_film() -> Q:
    """The condition that the film of a run is not deleted, for an UPDATE of runs.

    With a join, Django would select the ids of the runs in a subquery. PostgreSQL does not evaluate it again when the
    UPDATE has waited for one of another worker, and so would change a run whose lease is another one by now.
    """
    return Q(video__in=Video.objects.filter(deleted_at=None))


class Chunk(Leased):
    """A stretch of whole segments of a run that one worker encodes in one go."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first_segment = models.PositiveIntegerField()
    segments = models.PositiveIntegerField()
    encoded_at = models.DateTimeField(null=True)

    objects = LeasedQuerySet["Chunk"].as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "number"], name="chunk_number_once_per_run"),
            models.UniqueConstraint(fields=["run", "first_segment"], name="chunk_segment_once_per_run"),
            models.CheckConstraint(name="chunk_has_segments", condition=Q(segments__gt=0)),
            models.CheckConstraint(
                name="chunk_encoded_is_not_leased", condition=Q(encoded_at=None) | Q(lease_token=None)
            ),
        ]

    def __str__(self) -> str:
        return f"segments {self.first_segment} to {self.first_segment + self.segments - 1}"
