"""A report and settings that were stored as JSON: they give the plan that the file itself gives, without a probe."""

import json
from pathlib import Path
from typing import Any

import pytest

from media_pipeline import pipeline
from media_pipeline.errors import NoVideoStream, PipelineError, SourceMissing, TooLong, Truncated
from media_pipeline.limits import Limits
from media_pipeline.pipeline import Job, process
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.probe import probe, read_report
from media_pipeline.sources.source import Source, parse_probe
from media_pipeline.tests.cases import CASES
from media_pipeline.tests.reports import probed, ticks
from media_pipeline.tests.test_languages_of_versions import film_of_the_world
from media_pipeline.tests.versions import SMALL_LADDER, Studio
from tests.clips import Clip

# Clips that differ in what the plan follows from: rates and clocks, sizes, turns, colours, sound, and a short report.
CLIPS = (
    *("landscape", "120 frames", "portrait", "turned", "upside down", "odd size", "wide pixels", "silent"),
    *("one frame", "webm without a duration", "phone", "screen recording", "interlaced", "ten bits"),
    *("AVI with B-frames", "MPEG-TS", "WMV"),
)
SETTINGS = {
    "default": PlanSettings(),
    "own ladder": PlanSettings(ladder=parse_ladder(["240p@300", "480p", "2160p"], crf=30), preset="medium"),
    "own limits": PlanSettings(limits=Limits(max_duration_s=600, stall_s=7.5, probe_s=3, encode_s_per_s=0.01)),
}


def as_stored(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("name", SETTINGS)
def test_stored_settings_are_the_settings(name: str) -> None:
    restored = PlanSettings.from_json(as_stored(SETTINGS[name].to_json()))

    assert restored == SETTINGS[name]
    assert hash(restored) == hash(SETTINGS[name]), "sequences are tuples again"


def require_same_plans(path: Path) -> None:
    report = as_stored(read_report(path, time_limit_s=60))
    fresh = probe(path, time_limit_s=60)

    assert parse_probe(report) == fresh
    for settings in SETTINGS.values():
        restored = PlanSettings.from_json(as_stored(settings.to_json()))
        assert plan_encode(parse_probe(report), restored) == plan_encode(fresh, settings)


@pytest.mark.parametrize("name", CLIPS)
def test_a_stored_report_gives_the_plan_of_a_fresh_probe(studio: Studio, name: str) -> None:
    require_same_plans(studio.clip(name, CASES[name].clip))


def test_a_stored_report_gives_the_same_soundtracks_and_captions(studio: Studio) -> None:
    path = film_of_the_world(studio.folder)

    require_same_plans(path)
    plan = plan_encode(parse_probe(as_stored(read_report(path, time_limit_s=60))), PlanSettings())
    assert (len(plan.audio), len(plan.captions)) == (3, 2)


def test_a_file_that_cannot_be_used_has_no_report(studio: Studio, tmp_path: Path) -> None:
    sound = studio.clip("sound in mp4", Clip(picture="", container="mp4"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(studio.clip("turned", CASES["turned"].clip).read_bytes()[:2000])
    refused: dict[Path, type[PipelineError]] = {
        sound: NoVideoStream, cut: Truncated, tmp_path / "gone.mp4": SourceMissing,
    }  # fmt: skip
    for path, error in refused.items():
        with pytest.raises(error):
            read_report(path, time_limit_s=60)


def test_todays_limits_refuse_a_stored_report() -> None:
    source = parse_probe(as_stored(probed(packets=ticks(range(0, 12800 * 90, 512), 512))))

    assert plan_encode(source, PlanSettings()).frames == 90 * 25
    with pytest.raises(TooLong):
        plan_encode(source, PlanSettings(limits=Limits(max_duration_s=60)))


@pytest.mark.parametrize(
    ("seconds", "segments"), [(1, 1), (4, 1), (5, 2), (8, 2), (90, 23)]
)  # fmt: skip
def test_the_plan_counts_its_segments(seconds: int, segments: int) -> None:
    source = parse_probe(probed(packets=ticks(range(0, 12800 * seconds, 512), 512)))

    assert plan_encode(source, PlanSettings()).segments == segments


# --- a job -----------------------------------------------------------------------------------------------------------


def count_probes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    probed_files: list[Path] = []

    def count(path: Path, **arguments: Any) -> Source:
        probed_files.append(path)
        return probe(path, **arguments)

    monkeypatch.setattr(pipeline, "probe", count)
    return probed_files


@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_that_has_the_facts_does_not_probe(
    studio: Studio, one_ffmpeg: str, folder: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    source, settings = studio.clip("turned", CASES["turned"].clip), PlanSettings(ladder=parse_ladder(SMALL_LADDER))
    facts = parse_probe(as_stored(read_report(source, time_limit_s=60))) if is_known else None
    probes = count_probes(monkeypatch)

    made = process(Job(source, folder / "work", folder / "out", one_ffmpeg, settings, lambda progress: None, facts))

    assert len(probes) == (0 if is_known else 1)
    assert tuple((rung.width, rung.height) for rung in made.plan.rungs) == CASES["turned"].sizes
    assert made.package.frames == CASES["turned"].frames
    assert made.plan.segments == 1
