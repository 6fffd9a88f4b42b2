"""The rungs: the sizes in which a video is encoded; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Rung:
    """One size of the ladder; `short_side` is the height of a landscape picture, the width of a portrait one."""

    name: str
    short_side: int
    crf: int
    max_kbps: int


@dataclass(frozen=True)
class SizedRung:
    """A rung fitted to one source: even width and height in square pixels."""

    rung: Rung
    width: int
    height: int

    @property
    def name(self) -> str:
        return self.rung.name


# Peak rates are for 30 frames a second; see ffmpeg_args.peak_kbps for faster video.
KNOWN_RUNGS = (
    Rung("120p", 120, crf=25, max_kbps=220),
    Rung("144p", 144, crf=25, max_kbps=280),
    Rung("240p", 240, crf=25, max_kbps=500),
    Rung("360p", 360, crf=24, max_kbps=1000),
    Rung("480p", 480, crf=24, max_kbps=1600),
    Rung("720p", 720, crf=23, max_kbps=3200),
    Rung("1080p", 1080, crf=23, max_kbps=6000),
    Rung("1440p", 1440, crf=23, max_kbps=11000),
    Rung("2160p", 2160, crf=23, max_kbps=20000),
)
# The end of x264's scale for 8 bits, and the worst quality.
MAX_CRF = 51
# The highest peak rate of a rung: more than x264 allows for any level of H.264.
MAX_KBPS = 1_000_000
# A picture that misses a rung by 2 % or less (1278×718) counts as that rung.
NEARLY = Fraction(98, 100)
# The short side of an added rung is at least this many times that of the rung below it: it has more than half as many
# pixels again.
WORTH_A_RUNG = Fraction(5, 4)
# Presets of x264, fastest first: each takes longer than the one before it and makes smaller files of the same quality.
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
DEFAULT_LADDER = ("120p", "360p", "720p", "1080p")


def parse_ladder(names: Iterable[str], *, crf: int | None = None) -> tuple[Rung, ...]:
    """Rungs by name, lowest first. `720p@2500` overrides the peak rate in kbit/s, `crf` the quality of all of them.

    Raises ValueError with a sentence for people.
    """
    known = {rung.name: rung for rung in KNOWN_RUNGS}
    rungs: dict[str, Rung] = {}
    for text in names:
        name, _, kbps = text.strip().partition("@")
        if name not in known:
            raise ValueError(f"VIDEO_LADDER names {name[:100]!r}; known rungs are {', '.join(known)}.")
        is_rate = kbps.isascii() and kbps.isdigit() and len(kbps) <= len(str(MAX_KBPS)) and 0 < int(kbps) <= MAX_KBPS
        if kbps and not is_rate:
            raise ValueError(
                f"VIDEO_LADDER gives {name} the rate {kbps[:100]!r}; "
                f"write it as a whole number of kbit/s, at most {MAX_KBPS}."
            )
        rungs[name] = replace(known[name], max_kbps=int(kbps)) if kbps else known[name]
    if not rungs:
        raise ValueError("VIDEO_LADDER is empty; name at least one rung, for example 360p.")
    if crf is not None and crf > MAX_CRF:
        raise ValueError(f"VIDEO_CRF is {crf}; the most it can be is {MAX_CRF}, which is the worst quality.")
    chosen = sorted(rungs.values(), key=lambda rung: rung.short_side)
    return tuple(chosen if crf is None else [replace(rung, crf=crf) for rung in chosen])


def plan_ladder(width: int, height: int, ladder: Iterable[Rung]) -> tuple[SizedRung, ...]:
    """The rungs for a picture of this display size, lowest first; never larger than the picture.

    The lowest rung always exists: a picture that is smaller keeps its size and takes that rung's name.
    """
    rungs = sorted(ladder, key=lambda rung: rung.short_side)
    short_side = min(width, height)
    fitting = [rung for rung in rungs if reaches(short_side, rung)] or rungs[:1]
    fitting += rung_between(short_side, fitting[-1], rungs)
    return tuple(
        SizedRung(rung, *shrink(width, height, Fraction(rung.short_side, min(width, height)))) for rung in fitting
    )


def reaches(short_side: int, rung: Rung) -> bool:
    return rung.short_side * NEARLY <= short_side


def rung_between(short_side: int, best: Rung, ladder: Sequence[Rung]) -> list[Rung]:
    """The best known rung for a picture that lies between two rungs of the ladder; empty when there is none.

    A film of 480 lines on a ladder with 360p and 720p gets 480p, and would otherwise lose half of its pixels. Above the
    ladder's highest rung nothing is added.
    """
    above = next((rung for rung in ladder if rung.short_side > best.short_side), best)
    known = [rung for rung in KNOWN_RUNGS if best.short_side * WORTH_A_RUNG <= rung.short_side < above.short_side]
    # The peak rate of the next higher rung is a limit here too: the operator may have set a low one (`720p@800`).
    allowed = [replace(rung, crf=best.crf, max_kbps=min(rung.max_kbps, above.max_kbps)) for rung in known]
    return [rung for rung in allowed if reaches(short_side, rung)][-1:]


def shrink(width: int, height: int, scale: Fraction) -> tuple[int, int]:
    """The picture's size times `scale`, in even numbers of pixels and never enlarged."""
    scale = min(scale, Fraction(1))
    return even(width * scale, at_most=width), even(height * scale, at_most=height)


def even(length: Fraction, *, at_most: int) -> int:
    """The nearest even number of pixels, at most `at_most`."""
    # 4:2:0 has one colour sample for two pixels, and H.264 no picture of less than 2.
    nearest = 2 * round(length / 2)
    return max(2, nearest if nearest <= at_most else nearest - 2)
