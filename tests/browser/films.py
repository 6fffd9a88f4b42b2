"""Films for the screenshots: some cut from the demo clip, some drawn by ffmpeg out of nothing."""

from dataclasses import dataclass
from pathlib import Path

from tests.clips import run_ffmpeg
from tests.services import PROJECT

DEMO = PROJECT / "demo" / "big-buck-bunny.mp4"
ENCODER = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p")
CHORD = "aevalsrc='0.1*sin(2*PI*220*t)+0.08*sin(2*PI*277*t)+0.06*sin(2*PI*330*t)':sample_rate=48000"
LONG_S = 312


@dataclass(frozen=True, kw_only=True)
class Film:
    """`picture` is a filter on the demo clip, or, where `duration_s` is given, a lavfi source."""

    title: str
    category: str
    description: str
    picture: str
    start_s: float = 0
    end_s: float = 10
    duration_s: float | None = None


FILMS = (
    Film(
        title="Old reel, found in the attic",
        category="History",
        description="Eight millimetres of film, forty years in a biscuit tin, and nobody who remembers the stream.",
        picture="scale=1280:720,colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131,vignette,noise=alls=18:allf=t",
        start_s=0.5,
        end_s=3.5,
    ),
    Film(
        title="A game of life",
        category="Science Fiction",
        description="Four rules, one grid, and what comes of it.",
        picture="life=size=320x180:rate=12:mold=25:life_color=0xffc060:death_color=0x402020:mold_color=0x203060:ratio=0.2:seed=5,scale=1280:720:flags=neighbor",
        duration_s=8,
    ),
    Film(
        title="Blue hour",
        category="Drama",
        description="Somebody on a branch, waiting for the night.",
        picture="crop=1280:720:320:260,eq=brightness=-0.12:saturation=0.7,colorbalance=rs=-.3:bs=.35:rm=-.2:bm=.3",
        start_s=5,
        end_s=9,
    ),
    Film(
        title="Into the fractal",
        category="Science Fiction",
        description="Down, and down, and never at the bottom.",
        picture="mandelbrot=size=1280x720:rate=12:start_scale=0.9:end_scale=0.002:end_pts=90",
        duration_s=6,
    ),
    Film(
        title="Water lilies",
        category="Documentary",
        description="What grows at the edge of a stream in the first week of May.",
        picture="crop=960:540:960:500,scale=1280:720,eq=saturation=1.25",
        start_s=0.5,
        end_s=3.5,
    ),
    Film(
        title="Sunset, very slowly",
        category="Documentary",
        description="Five minutes of evening sky. Nothing else happens, which is the point.",
        picture=(
            "gradients=size=640x360:rate=1:c0=0x1b2a6b:c1=0xff9a5a:c2=0xffd29a:c3=0x6b2a5a:nb_colors=4:speed=0.02:seed=7"
        ),
        duration_s=LONG_S,
    ),
    Film(
        title="From my window",
        category="Family",
        description="Filmed on a phone, held upright, as one does.",
        picture="crop=607:1080:620:0,scale=720:1280",
        start_s=4.2,
        end_s=8.5,
    ),
    Film(
        title="The bird has something to say",
        category="Animation",
        description="A close-up of a conversation with nobody in particular.",
        picture="crop=1280:720:280:140",
        start_s=4.5,
        end_s=8.8,
    ),
)  # fmt: skip


def make_film(folder: Path, film: Film) -> Path:
    path = folder / f"{film.title}.mp4"
    sound = ("-f", "lavfi", "-t", str(film.duration_s or film.end_s - film.start_s), "-i", CHORD)
    if film.duration_s:
        picture = ("-f", "lavfi", "-t", str(film.duration_s), "-i", film.picture)
        run_ffmpeg(*picture, *sound, *ENCODER, "-c:a", "aac", "-shortest", str(path))
    else:
        cut = ("-ss", str(film.start_s), "-to", str(film.end_s), "-i", str(DEMO))
        run_ffmpeg(*cut, *sound, "-map", "0:v", "-map", "1:a", "-vf", film.picture, *ENCODER, "-c:a", "aac", str(path))
    return path


ENGLISH = ((0.4, 3.6, "A quiet morning, somewhere by a stream."), (4.2, 6.4, "- Good morning!\n- Is it?"))
GERMAN = ((0.4, 3.6, "Ein stiller Morgen, irgendwo an einem Bach."), (4.2, 6.4, "- Guten Morgen!\n- Schon?"))


def make_bilingual(folder: Path, picture: Path) -> Path:
    """The film as a Matroska file with its sound (which has no words) and captions in English and German."""
    path, captions = folder / f"{picture.stem}.mkv", [folder / "en.srt", folder / "de.srt"]
    for file, cues in zip(captions, (ENGLISH, GERMAN), strict=True):
        file.write_text(srt(cues), encoding="utf-8")
    inputs = [argument for file in (picture, *captions) for argument in ("-i", str(file))]
    maps = [argument for stream in ("0:v", "0:a", "0:a", "1:s", "2:s") for argument in ("-map", stream)]
    languages = [
        argument
        for kind in ("a", "s")
        for number, language in enumerate(("eng", "deu"))
        for argument in (f"-metadata:s:{kind}:{number}", f"language={language}")
    ]
    run_ffmpeg(*inputs, *maps, "-c", "copy", "-c:s", "srt", *languages, str(path))
    return path


def srt(cues: tuple[tuple[float, float, str], ...]) -> str:
    times = (f"{stamp(start)} --> {stamp(end)}\n{text}\n" for start, end, text in cues)
    return "\n".join(f"{number}\n{cue}" for number, cue in enumerate(times, 1))


def stamp(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", ",")
