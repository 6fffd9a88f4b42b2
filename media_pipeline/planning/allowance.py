"""Limits of the child processes of one job: as much as its source and plan can need, with room to spare; pure.

docs/limits.md has the results for common films, beside what they used in practice.
"""

import math

from media_pipeline.limits import GIB, MAX_PIXELS, MIB, ChildLimits
from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan

# The program, its libraries, and everything that does not grow with the film.
READER_BYTES = GIB // 2
ENCODER_BYTES = GIB
# Decoder, filters and the encoder of every rung start threads for every processor.
READER_BYTES_PER_PROCESSOR = 16 * MIB
ENCODER_BYTES_PER_PROCESSOR = 128 * MIB
# 4:2:2 in 10 bits. Codecs that store more for a pixel keep fewer frames.
SOURCE_BYTES_PER_PIXEL = 4
# 4:2:0 in 8 bits.
RUNG_BYTES_PER_PIXEL = 1.5
# 16 frames that others refer to (the most that H.264 and H.265 allow), and those on their way through the filters.
DECODER_FRAMES = 24
# The encoder's look-ahead and references.
ENCODER_FRAMES = 60
# A gap in the sound becomes silence all at once: room for half an hour of it in 5.1, more in stereo.
SOUND_GAP_BYTES = 2 * GIB
# x264 keeps to the peak rate; twice that is a broken or hostile film.
PEAK_MARGIN = 2
# Pictures, tiles, indexes, whatever the length of the film.
SMALL_FILES_BYTES = 64 * MIB
KINDS_OF_SMALL_FILES = 4


def probe_limits(time_limit_s: float, processors: int) -> ChildLimits:
    """The limits of the probe. Nothing is known of the file yet, so it may hold pictures of the largest size."""
    # The probe has no filters, so it keeps fewer frames than the encoder's decoder.
    picture_bytes = MAX_PIXELS * SOURCE_BYTES_PER_PIXEL * DECODER_FRAMES * 3 // 4
    memory_bytes = READER_BYTES + READER_BYTES_PER_PROCESSOR * processors + picture_bytes
    return ChildLimits(memory_bytes, cpu_s=math.ceil(time_limit_s), file_bytes=0)


def encoder_limits(plan: EncodePlan, processors: int) -> ChildLimits:
    # A decoder may have a thread for each processor, each of which holds a frame.
    decoded_bytes = plan.width * plan.height * SOURCE_BYTES_PER_PIXEL * (DECODER_FRAMES + processors)
    # One frame of every rung.
    rung_bytes = sum(rung.width * rung.height for rung in plan.rungs) * RUNG_BYTES_PER_PIXEL
    peaks_kbps = [peak_kbps(rung, plan.frame_rate) for rung in plan.rungs]
    # The best rung at its peak rate from beginning to end; and all rungs and soundtracks together.
    file_bytes = media_bytes(plan, max(AUDIO_KBPS, *peaks_kbps)) + SMALL_FILES_BYTES
    folder_bytes = media_bytes(plan, sum(peaks_kbps) + AUDIO_KBPS * len(plan.audio))
    return ChildLimits(
        memory_bytes=ENCODER_BYTES
        + ENCODER_BYTES_PER_PROCESSOR * processors
        + decoded_bytes
        + (SOUND_GAP_BYTES if plan.audio else 0)
        + round(rung_bytes * (ENCODER_FRAMES + 2 * processors)),
        cpu_s=math.ceil(plan.time_limit_s * processors),
        file_bytes=file_bytes,
        folder_bytes=folder_bytes + KINDS_OF_SMALL_FILES * SMALL_FILES_BYTES,
    )


def media_bytes(plan: EncodePlan, kbps: int) -> int:
    return math.ceil(plan.duration_s * kbps * 1000 / 8) * PEAK_MARGIN
