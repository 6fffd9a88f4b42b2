"""The sandbox of programs that read untrusted files, tested with a program that tries to get out."""

from pathlib import Path

import pytest

from media_pipeline.ffmpeg import run as runner
from media_pipeline.ffmpeg import sandbox
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.ffmpeg.sandbox import Demand, Means, SandboxMissing, landlock_rules, means_here
from media_pipeline.ffmpeg.sandbox_checkup import ESCAPE, escapes, summarize
from media_pipeline.limits import ChildLimits
from media_pipeline.probe import probe
from media_pipeline.tests.processes import run, run_python, run_shell

LATEST = 7
WHOLE = Means(landlock=LATEST, has_filter=True)
# These depend on the user, also without a sandbox. Other users cannot read the memory of a worker that protects it.
# Root can, unless the worker has more rights.
NOT_FOR_EVERY_USER = {
    "processes: read the worker's environment",
    "processes: open the worker's memory",
    "processes: move the worker to other processors",
    "network: connect",  # fails where the kernel gives the program a network of its own
}


def use(monkeypatch: pytest.MonkeyPatch, means: Means) -> None:
    monkeypatch.setattr(sandbox, "means_here", lambda: means)


# --- getting out -----------------------------------------------------------------------------------------------------


def test_a_program_in_the_sandbox_gets_nowhere(tmp_path: Path) -> None:
    assert means_here().is_whole
    assert escapes(tmp_path) == []


def test_without_the_sandbox_the_same_program_gets_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "demand", Demand.OFF)

    refused = attempts() - set(escapes(tmp_path)) - NOT_FOR_EVERY_USER
    # These two are refused without a sandbox, too.
    assert refused == {"environment: find more than it needs", "environment: find an open file"}


def attempts() -> set[str]:
    text = ESCAPE.read_text()
    return {line.split('"')[1] for line in text.splitlines() if line.startswith('        "') and '": ' in line}


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_older_versions_of_landlock_suffice_with_the_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """The filter refuses what older versions do not cover. The test asks this kernel for the rules of each version."""
    use(monkeypatch, Means(version, has_filter=True))

    assert escapes(tmp_path) == []


def test_without_landlock_the_filter_still_closes_off_network_and_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Means(0, has_filter=True))

    achieved = escapes(tmp_path)
    assert {one.partition(":")[0] for one in achieved} == {"files"}
    assert "files: empty a file elsewhere" not in achieved


def test_without_a_filter_landlock_still_closes_off_the_bytes_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Means(LATEST, has_filter=False))

    achieved = escapes(tmp_path)
    assert [one for one in achieved if one.startswith("files")] == ["files: lock the source up"]
    assert "processes: signal the worker" not in achieved


def test_children_cannot_read_the_worker_s_memory_even_without_landlock_and_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Means(0, has_filter=False))

    assert not {one for one in escapes(tmp_path) if "worker's environment" in one or "worker's memory" in one}


def test_a_reader_cannot_start_background_processes() -> None:
    """A reader starts no process, so none can outlive it."""
    finished = run_shell("sleep 600 &", limits=ChildLimits(nice=0))

    assert finished.returncode != 0
    assert "fork" in finished.stderr


def test_a_program_may_have_threads() -> None:
    script = "import threading as t; one = t.Thread(target=print, args=['here']); one.start(); one.join()"

    assert run_python(script, limits=ChildLimits(nice=0)).stdout == b"here\n"


# --- ffmpeg and the probe --------------------------------------------------------------------------------------------


def test_an_encoder_reads_its_source_and_writes_its_folder_and_nothing_else(
    ffmpeg: str, tmp_path: Path, clip: Path
) -> None:
    work, neighbour = tmp_path / "own", tmp_path / "neighbour"
    work.mkdir()
    neighbour.mkdir()
    (neighbour / "film.mp4").write_bytes(clip.read_bytes())

    def encodes(source: Path, target: Path) -> bool:
        argv = [ffmpeg, "-v", "error", "-nostdin", "-i", str(source), "-c:v", "libx264", "-t", "1", str(target)]
        return run(*argv, limits=ChildLimits(), reads=[clip], writes=[work]).returncode == 0

    assert encodes(clip, work / "out.mkv")
    assert not encodes(neighbour / "film.mp4", work / "stolen.mkv")
    assert not encodes(clip, neighbour / "out.mkv")
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["film.mp4", "out.mkv"]


def test_the_probe_opens_no_other_file_even_if_its_reader_was_taken_over(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (neighbour := tmp_path / "neighbour").write_text("secret")
    boot = f"import sys\ntry: print(open({str(neighbour)!r}).read())\nexcept OSError: print('refused')\n"
    heard: list[bytes] = []

    def listen(*argv: object, **options: object) -> object:
        heard.append((finished := run_limited(*argv, **options)).stdout)  # type: ignore[arg-type]
        return finished

    monkeypatch.setattr("media_pipeline.probe.BOOT", boot)
    monkeypatch.setattr("media_pipeline.probe.run_limited", listen)
    with pytest.raises(Exception, match="encoder_failed"):
        probe(clip, time_limit_s=20)

    assert heard == [b"refused\n"]


def test_a_source_behind_a_link_is_read(tmp_path: Path, clip: Path) -> None:
    """Originals in a folder are linked into the work folder, not copied."""
    (tmp_path / "soft").symlink_to(clip)
    (tmp_path / "hard").hardlink_to(clip)

    assert probe(tmp_path / "soft", time_limit_s=20).frames == probe(tmp_path / "hard", time_limit_s=20).frames == 100


# --- SANDBOX=required ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "means", [Means(0, has_filter=True), Means(LATEST, has_filter=False), Means(0, has_filter=False)]
)
def test_an_operator_may_require_the_complete_sandbox(monkeypatch: pytest.MonkeyPatch, means: Means) -> None:
    monkeypatch.setattr(runner, "demand", Demand.REQUIRED)
    assert run_shell("echo fine").stdout == b"fine\n"

    use(monkeypatch, means)
    with pytest.raises(SandboxMissing, match="SANDBOX=required"):
        run_shell("echo never")


def test_a_machine_without_any_means_processes_films_unless_the_sandbox_is_required(
    monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    use(monkeypatch, Means(0, has_filter=False))

    assert probe(clip, time_limit_s=20).frames == 100


def test_one_line_says_what_is_closed_off() -> None:
    assert summarize([], WHOLE) == (
        "closed off: files, network, processes, environment (Landlock 7, a filter of system calls)"
    )
    assert summarize(["files: read a secret", "files: list a folder"], Means(0, has_filter=True)) == (
        "closed off: network, processes, environment (no Landlock, a filter of system calls); "
        "not closed off: files: read a secret; files: list a folder"
    )


# --- rules -----------------------------------------------------------------------------------------------------------


def test_the_rules_use_only_rights_that_the_version_of_landlock_knows(tmp_path: Path) -> None:
    known = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 3, 0), 5: (16, 3, 0), 6: (16, 3, 3), 9: (16, 3, 3)}
    for version, (bits, network, scopes) in known.items():
        ruled = landlock_rules("/bin/sh", [tmp_path], [tmp_path], version)
        assert ruled
        assert (ruled["files"], ruled["network"], ruled["scopes"]) == ((1 << bits) - 1, network, scopes)
        assert all(rights & ~ruled["files"] == 0 for _, rights in ruled["rules"])
    assert landlock_rules("/bin/sh", [tmp_path], [tmp_path], 0) is None


def test_the_rules_name_existing_paths_and_no_folder_of_users(tmp_path: Path) -> None:
    (source := tmp_path / "source").touch()
    (work := tmp_path / "own").mkdir()
    ruled = landlock_rules("/bin/sh", [source, tmp_path / "gone"], [work], LATEST)
    assert ruled
    rights = dict(ruled["rules"])

    assert rights[str(source)] == sandbox.READ_FILE
    assert rights[str(work)] == sandbox.READ_FILE | sandbox.WRITE_FILE | sandbox.TRUNCATE | sandbox.MAKE_REG
    assert str(tmp_path / "gone") not in rights
    assert not {"/", "/usr", "/usr/local", "/etc", "/home", "/root", "/proc", "/dev", "/opt"} & set(rights)
    assert not {str(folder) for folder in tmp_path.parents} & set(rights)


def test_a_program_with_libraries_of_its_own_runs(tmp_path: Path) -> None:
    """An ffmpeg that was unpacked into a folder of its own has its libraries beside its `bin`."""
    home = tmp_path / "own"
    for folder in ("bin", "lib"):
        (home / folder).mkdir(parents=True)
    (home / "lib" / "words").write_text("from its library\n")
    (home / "secret").write_text("not from beside it\n")
    program = home / "bin" / "tool"
    program.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line"; done < {home}/$1\n')
    program.chmod(0o755)
    (tmp_path / "tool").symlink_to(program)

    def said(name: str) -> bytes:
        return run(str(tmp_path / "tool"), name, limits=ChildLimits()).stdout

    assert said("lib/words") == b"from its library\n"
    assert said("secret") == b""
