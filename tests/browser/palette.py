"""Makes pictures of pages small enough to be kept with the sources."""

from pathlib import Path

from tests.clips import run_ffmpeg

# Numbers of colours, tried in this order until a picture is small enough; the first one still looks right.
COLOURS = (200, 144, 104, 72)
MOST_BYTES = 200_000


def save_small(taken: Path, picture: Path) -> None:
    """Saves a PNG with a palette of its own, which takes a third of the bytes and looks the same."""
    for colours in COLOURS:
        # Ordered dithering and lines without prediction compress best.
        few = f"split[a][b];[a]palettegen=max_colors={colours}[p];[b][p]paletteuse=dither=bayer:bayer_scale=4"
        run_ffmpeg("-i", str(taken), "-vf", few, "-compression_level", "9", "-pred", "none", str(picture))
        if picture.stat().st_size <= MOST_BYTES:
            break
    print(f"{picture.name}: {picture.stat().st_size // 1000} kB in {colours} colours", flush=True)
