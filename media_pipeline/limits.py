"""Every limit of the pipeline: what a site accepts, what a reader believes, what a child process may use.

docs/limits.md says what a person sees of each. What the children of one job may use follows from its plan: see
media_pipeline.planning.allowance.
"""

from dataclasses import dataclass
from fractions import Fraction

MIB = 1024**2
GIB = 1024**3

# --- what is read of a file ------------------------------------------------------------------------------------------

# 8K is 7680×4320; what is stored is a whole number of blocks. Larger ones are refused before they are decoded.
MAX_PIXELS = 8192 * 4352
MAX_SIDE = 16384  # x264 takes no longer one, neither do browsers
MAX_ALLOCATION_BYTES = GIB  # one buffer of ffmpeg; a picture of MAX_PIXELS in 16 bits with alpha has 272 MiB
MAX_STREAMS = 500  # films with a font for every sign on the wall have some 200
MAX_PACKETS = 10_000_000  # of the picture: a day at 115 frames a second
# Of one film second; high-speed cameras reach 1000 and store them as slow motion.
MAX_FRAMES_PER_S = 1000
MAX_AVERAGE_RATE = 240  # frames a second, over the longest film that the site accepts
MAX_CHANNELS = 64
SAMPLE_RATES = range(2000, 768_001)  # beyond them a header lies, and resampling a second of it takes gigabytes
MAX_TAG_LENGTH = 200  # characters of a language or title that are read
MIN_READ_BYTES_PER_S = 20_000_000  # bytes a second: a large file on a slow disk is not a damaged one


@dataclass(frozen=True)
class Limits:
    """What a site accepts and how long it waits. Times in seconds."""

    max_duration_s: int = 4 * 3600
    max_pixels: int = MAX_PIXELS
    stall_s: float = 120  # an encoder without progress for this long is hung
    probe_s: float = 60  # and the time that it takes to read the file
    encode_s_per_s: float = 60  # processing time allowed per second of film
    min_encode_s: float = 600

    def encode_s(self, duration_s: Fraction) -> float:
        return max(self.min_encode_s, self.encode_s_per_s * float(duration_s))

    @property
    def max_frames(self) -> int:
        return self.max_duration_s * MAX_AVERAGE_RATE


DEFAULT_LIMITS = Limits()


# --- what a child process may use ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChildLimits:
    """Hard limits of one child process; what they are without a plan is enough for a step that takes a moment."""

    memory_bytes: int = 2 * GIB  # of address space
    cpu_s: int = 600
    file_bytes: int = 64 * MIB  # of each file that it writes
    folder_bytes: int = 256 * MIB  # of all that it adds to the folders it may fill
    nice: int = 10  # the catalogue answers first when web and workers share a machine
    may_start_programs: bool = False  # readers and encoders need threads, no processes
