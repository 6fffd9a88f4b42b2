"""Every limit of the pipeline: what a site accepts, what a reader believes, what a child process may use.

docs/limits.md says what a person sees of each. What the child processes of one job may use follows from its plan: see
media_pipeline.planning.allowance.
"""

from dataclasses import dataclass
from fractions import Fraction

MIB = 1024**2
GIB = 1024**3

# --- what is read of a file ------------------------------------------------------------------------------------------

# 8K is 7680×4320, and codecs round it up to whole blocks. Larger pictures are refused before they are decoded.
MAX_PIXELS = 8192 * 4352
# Neither x264 nor browsers take a longer side.
MAX_SIDE = 16384
# One buffer of ffmpeg. A picture of MAX_PIXELS in 16 bits with alpha takes 272 MiB.
MAX_ALLOCATION_BYTES = GIB
# Each track costs a decoder. Films that carry a font for every sign on the wall have some 200.
MAX_STREAMS = 500
# Packets of the picture, each of which takes a place in the index: a day at 115 frames a second.
MAX_PACKETS = 10_000_000
# Frames in one second of film. High-speed cameras reach 1000; with more, the file's clock is wrong.
MAX_FRAMES_PER_S = 1000
# A film may have as many frames as the longest film that the site accepts has at this many frames a second.
MAX_AVERAGE_RATE = 240
MAX_CHANNELS = 64
# A header with a rate outside of these is wrong, and resampling one second of such sound takes gigabytes.
SAMPLE_RATES = range(2000, 768_001)
# Characters of a language or title that the probe reports.
MAX_METADATA_LENGTH = 200
# The probe gets as much longer as reading the file takes at this speed: a large file on a slow disk is not damaged.
MIN_READ_BYTES_PER_S = 20_000_000


@dataclass(frozen=True)
class Limits:
    """What a site accepts and how long it waits. Times in seconds."""

    max_duration_s: int = 4 * 3600
    max_pixels: int = MAX_PIXELS
    stall_s: float = 120  # an encoder without progress for this long is hung
    probe_s: float = 60  # on top of the time that it takes to read the file
    encode_s_per_s: float = 60  # processing time allowed for each second of film
    min_encode_s: float = 600  # allowed for the shortest film: starting programs on a busy machine takes its time too

    def encode_s(self, duration_s: Fraction) -> float:
        return max(self.min_encode_s, self.encode_s_per_s * float(duration_s))

    @property
    def max_frames(self) -> int:
        return self.max_duration_s * MAX_AVERAGE_RATE


DEFAULT_LIMITS = Limits()


# --- what a child process may use ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChildLimits:
    """Hard limits of one child process. The defaults are enough for a step that takes a moment."""

    memory_bytes: int = 2 * GIB  # of address space
    cpu_s: int = 600
    file_bytes: int = 64 * MIB  # of each file that it writes
    folder_bytes: int = 256 * MIB  # of everything that it adds to the folders it may fill
    # Web and workers may share a machine: the catalogue is answered before films are encoded.
    nice: int = 10
    # Readers and encoders need threads, never another process.
    may_start_programs: bool = False
