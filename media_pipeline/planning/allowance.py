"""What the child processes of one job may use: as much as its source and plan can need, with room to spare; pure."""

import math

from media_pipeline.limits import GIB, MAX_PIXELS, MIB, ChildLimits
from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan

# Programs, their libraries and what is not in proportion to anything.
READER_BYTES = GIB // 2
ENCODER_BYTES = GIB
# Threads: decoder, filters and the encoders of every rung start some for every processor.
READER_BYTES_PER_PROCESSOR = 16 * MIB
ENCODER_BYTES_PER_PROCESSOR = 128 * MIB
SOURCE_BYTES_PER_PIXEL = 4  # 4:2:2 of 10 bits; what has more does not keep as many frames
RUNG_BYTES_PER_PIXEL = 1.5
FRAMES_OF_A_DECODER = 24  # 16 that others refer to, and those on their way through the filters
FRAMES_OF_AN_ENCODER = 60  # its look-ahead and references
# A hole in the sound becomes silence all at once: half an hour of it in 5.1, more in stereo.
HOLE_BYTES = 2 * GIB
PEAK_MARGIN = 2  # above the rate that x264 keeps to
SMALL_FILES_BYTES = 64 * MIB  # pictures, tiles, indexes
KINDS_OF_SMALL_FILES = 4


def probe_limits(time_limit_s: float, processors: int) -> ChildLimits:
    """For a file of which nothing is known yet: it may hold pictures of the largest size, and writes nothing."""
    pictures = MAX_PIXELS * SOURCE_BYTES_PER_PIXEL * FRAMES_OF_A_DECODER * 3 // 4
    memory_bytes = READER_BYTES + READER_BYTES_PER_PROCESSOR * processors + pictures
    return ChildLimits(memory_bytes, cpu_s=math.ceil(time_limit_s), file_bytes=0)


def encoder_limits(plan: EncodePlan, processors: int) -> ChildLimits:
    # Threads that decode whole frames hold one each.
    decoded = plan.width * plan.height * SOURCE_BYTES_PER_PIXEL * (FRAMES_OF_A_DECODER + processors)
    encoded = sum(rung.width * rung.height for rung in plan.rungs) * RUNG_BYTES_PER_PIXEL
    return ChildLimits(
        memory_bytes=ENCODER_BYTES
        + ENCODER_BYTES_PER_PROCESSOR * processors
        + decoded
        + (HOLE_BYTES if plan.audio else 0)
        + round(encoded * (FRAMES_OF_AN_ENCODER + 2 * processors)),
        cpu_s=math.ceil(plan.time_limit_s * processors),
        file_bytes=largest_file_bytes(plan),
        folder_bytes=largest_folder_bytes(plan),
    )


def largest_file_bytes(plan: EncodePlan) -> int:
    """The best rung at its peak rate from beginning to end."""
    kbps = max([AUDIO_KBPS, *(peak_kbps(rung, plan.frame_rate) for rung in plan.rungs)])
    return math.ceil(plan.duration_s * kbps * 1000 / 8) * PEAK_MARGIN + SMALL_FILES_BYTES


def largest_folder_bytes(plan: EncodePlan) -> int:
    """Every rung and soundtrack at its peak rate, and what is drawn besides."""
    kbps = sum(peak_kbps(rung, plan.frame_rate) for rung in plan.rungs) + AUDIO_KBPS * len(plan.audio)
    return math.ceil(plan.duration_s * kbps * 1000 / 8) * PEAK_MARGIN + KINDS_OF_SMALL_FILES * SMALL_FILES_BYTES
