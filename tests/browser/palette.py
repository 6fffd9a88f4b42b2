"""Makes pictures of pages small enough to be kept with the sources."""

from pathlib import Path

from tests.clips import run_ffmpeg

# As few colours as look right; fewer, until a picture is small enough.
COLOURS = (200, 144, 104, 72)
MOST_BYTES = 200_000


def save_small(taken: Path, picture: Path) -> None:
    """A PNG with a palette of its own: a third of the bytes, and nobody sees it."""
    for colours in COLOURS:
        # A regular pattern between the colours compresses best, and so do lines that are not predicted from others.
        few = f"split[a][b];[a]palettegen=max_colors={colours}[p];[b][p]paletteuse=dither=bayer:bayer_scale=4"
        run_ffmpeg("-i", str(taken), "-vf", few, "-compression_level", "9", "-pred", "none", str(picture))
        if picture.stat().st_size <= MOST_BYTES:
            break
    print(f"{picture.name}: {picture.stat().st_size // 1000} kB in {colours} colours", flush=True)
