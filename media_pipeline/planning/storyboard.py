"""The storyboard: small pictures of the whole film on one sheet, which a player shows above its seek bar; pure.

The encoder draws the pictures; a WebVTT file says which part of the sheet belongs to which seconds.
"""

from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.planning.ladder import SizedRung, shrink

COLUMNS = 10
# Together with TILE_LONG_SIDE: a sheet of at most 1600×2560 pixels, however long the film is.
MAX_TILES = 160
TILE_LONG_SIDE = 160
MIN_INTERVAL_S = 1


@dataclass(frozen=True)
class Storyboard:
    """A sheet of `columns` × `rows` tiles, filled row by row, with one tile for every `step_frames` of the film."""

    tile_width: int
    tile_height: int
    columns: int
    rows: int
    tiles: int
    step_frames: int


def plan_storyboard(rung: SizedRung, frames: int, frame_rate: Fraction) -> Storyboard:
    """Tiles in the film's own shape, drawn from this rung: one a second, fewer when that makes more than MAX_TILES."""
    step = max(1, round(MIN_INTERVAL_S * frame_rate), -(-frames // MAX_TILES))
    tiles = -(-frames // step)
    columns = min(COLUMNS, tiles)
    width, height = shrink(rung.width, rung.height, Fraction(TILE_LONG_SIDE, max(rung.width, rung.height)))
    return Storyboard(width, height, columns, -(-tiles // columns), tiles, step)


def storyboard_vtt(board: Storyboard, sheet: str, frames: int, frame_rate: Fraction) -> str:
    """A cue for each tile that lies within the film's `frames`: `<sheet>#xywh=x,y,width,height`."""
    cues = ["WEBVTT\n"]
    for tile in range(min(board.tiles, -(-frames // board.step_frames))):
        start = tile * board.step_frames / frame_rate
        end = min((tile + 1) * board.step_frames, frames) / frame_rate
        x, y = tile % board.columns * board.tile_width, tile // board.columns * board.tile_height
        area = f"{x},{y},{board.tile_width},{board.tile_height}"
        cues.append(f"{webvtt_time(start)} --> {webvtt_time(end)}\n{sheet}#xywh={area}\n")
    return "\n".join(cues)


def webvtt_time(time_s: Fraction) -> str:
    """`01:02:03.400`, as WebVTT writes times."""
    total_ms = round(time_s * 1000)
    seconds, milliseconds = divmod(total_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
