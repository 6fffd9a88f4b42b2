"""The pipeline's settings, read from Django's."""

from django.conf import settings

from media_pipeline.limits import Limits
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import PlanSettings


def plan_settings() -> PlanSettings:
    limits = Limits(max_duration_s=settings.MAX_DURATION_MINUTES * 60, stall_s=settings.STALL_SECONDS)
    ladder = parse_ladder(settings.VIDEO_LADDER, crf=settings.VIDEO_CRF)
    return PlanSettings(ladder=ladder, preset=settings.VIDEO_PRESET, limits=limits)
