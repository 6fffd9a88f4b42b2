"""`make bench-web`: signing in, refreshing and `auth/me` on the web server of `make up`.

wrk sends the requests to two processes with SQLite and Redis, as `make up` runs them. The baseline of `auth/me` is a
view that answers `{}` behind the same middleware, authentication and limits; both are measured in turns, and medians
are printed. The baseline of signing in is the hashing alone. Keep the machine idle.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, web_alone

ROUNDS = int(os.environ.get("ROUNDS", "9"))
SECONDS = int(os.environ.get("SECONDS", "3"))
SESSIONS = 4000
PROCESSES = 2
# A kept connection stays with the process that accepted it, and all might be with one of the two.
ONE_REQUEST = "Connection: close"
NEVER_REACHED = str(10**6)  # the largest limit that the settings take: more requests than a round sends
POST = """
wrk.method, wrk.headers["Content-Type"], wrk.headers["Origin"] = "POST", "application/json", "{origin}"
wrk.body = '{body}'
"""
REFRESH = """
wrk.method, wrk.body = "POST", "{{}}"
local tokens, turn = {{}}, 0
for line in io.lines("{tokens}") do tokens[#tokens + 1] = line end
request = function()
  turn = turn % #tokens + 1
  local headers = {{["Content-Type"] = "application/json", ["Connection"] = "close"}}
  headers["Cookie"] = "vf_refresh=" .. tokens[turn]
  return wrk.format(nil, nil, headers)
end
"""
MAKE_SESSIONS = """
from users_app.models import User
from users_app.services.sessions import open_session
user = User.objects.get(email={email!r})
print("\\n".join(open_session(user=user).refresh for _ in range({count})))
"""


@dataclass(frozen=True)
class Load:
    """The measurements of wrk."""

    per_second: float
    median_ms: float
    p99_ms: float
    failures: int


def wrk(url: str, *, connections: int, script: str = "", headers: tuple[str, ...] = (), seconds: int = SECONDS) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        command += [part for header in (ONE_REQUEST, *headers) for part in ("-H", header)]
        command += ["-s", file.name] if script else []
        output = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    return Load(
        per_second=float(search(r"Requests/sec:\s+([\d.]+)", output)),
        median_ms=milliseconds(search(r"^\s+50%\s+(\S+)", output)),
        p99_ms=milliseconds(search(r"^\s+99%\s+(\S+)", output)),
        failures=int(search(r"Non-2xx or 3xx responses: (\d+)", output, default="0")),
    )


def search(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        assert default is not None, text
        return default
    return match[1]


def milliseconds(text: str) -> float:
    number, unit = float(re.sub(r"[a-z]+$", "", text)), re.sub(r"^[\d.]+", "", text)
    return number * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def compare_me(platform: Platform) -> None:
    cookie = (f"Cookie: vf_access={platform.sign_in().cookies['vf_access']}",)
    loads: dict[str, list[Load]] = {"api/v1/nothing/": [], "api/v1/auth/me/": []}
    for _ in range(ROUNDS):
        for path, measured in loads.items():
            measured.append(wrk(f"{platform.origin}/{path}", connections=16, headers=cookie))
            assert not measured[-1].failures
    rates = {path: median(load.per_second for load in seen) for path, seen in loads.items()}
    for path, rate in rates.items():
        print(f"  {path:<20} {rate:7.0f} requests/s, median {median(one.median_ms for one in loads[path]):.1f} ms")
    ratios = [me.per_second / nothing.per_second for nothing, me in zip(*loads.values(), strict=True)]
    print(f"  ratio {median(ratios):.2f} (aim: at least 0.80)")


def measure_refresh(platform: Platform) -> None:
    loads = []
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder, "tokens")
        for _ in range(ROUNDS):
            made = platform.manage("shell", "-v0", "-c", MAKE_SESSIONS.format(email=ADMIN_EMAIL, count=SESSIONS))
            assert made.returncode == 0, made.stderr
            tokens.write_text("".join(f"{line}\n" for line in made.stdout.splitlines() if line.startswith("eyJ")))
            script = REFRESH.format(tokens=tokens)
            loads.append(wrk(f"{platform.origin}/users/refresh/", connections=16, script=script))
            assert not loads[-1].failures
    print_loads("users/refresh/", loads)


def measure_login(platform: Platform) -> None:
    hashes = median(hashes_per_second() for _ in range(ROUNDS))
    print(f"  Argon2 alone         {hashes:7.0f} hashes/s in {PROCESSES} threads")
    loads = [wrk(login_url(platform), connections=8, script=login_script(platform)) for _ in range(ROUNDS)]
    print_loads("users/login/", loads)
    print(f"  ratio {median(load.per_second for load in loads) / hashes:.2f}")


def measure_storm(platform: Platform) -> None:
    """64 clients sign in without a pause, while 4 others ask for `auth/me`."""
    cookie = (f"Cookie: vf_access={platform.sign_in().cookies['vf_access']}",)
    calm = wrk(f"{platform.origin}/api/v1/auth/me/", connections=4, headers=cookie)
    storms: list[Load] = []
    storm = threading.Thread(
        target=lambda: storms.append(
            wrk(login_url(platform), connections=64, script=login_script(platform), seconds=2 * SECONDS)
        )
    )
    storm.start()
    time.sleep(SECONDS / 2)
    others = wrk(f"{platform.origin}/api/v1/auth/me/", connections=4, headers=cookie)
    storm.join()
    print(f"  auth/me, calm        {calm.per_second:7.0f} requests/s, median {calm.median_ms:.1f} ms")
    print(
        f"  auth/me, in a storm  {others.per_second:7.0f} requests/s, median {others.median_ms:.1f} ms, "
        f"99 % {others.p99_ms:.0f} ms, failed {others.failures}"
    )
    (storm_load,) = storms
    refused = storm_load.failures / (storm_load.per_second * 2 * SECONDS)
    print(f"  sign-ins meanwhile   {storm_load.per_second:7.0f} answers/s, refused with 503: {refused:.0%}")


def print_loads(path: str, loads: list[Load]) -> None:
    rate, middle = median(load.per_second for load in loads), median(load.median_ms for load in loads)
    slow = max(load.p99_ms for load in loads)
    print(f"  {path:<20} {rate:7.0f} requests/s, median {middle:.1f} ms, 99 % {slow:.0f} ms")


def login_url(platform: Platform) -> str:
    return f"{platform.origin}/users/login/"


def login_script(platform: Platform) -> str:
    body = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}"}}'
    return POST.format(origin=platform.origin, body=body)


def hashes_per_second() -> float:
    """With the parameters of the platform's hasher, in as many threads as the web server has processes."""
    from argon2.low_level import Type, hash_secret

    from users_app.hashers import Argon2

    def hash_for_a_while() -> int:
        count, end = 0, time.monotonic() + 1
        while time.monotonic() < end:
            hash_secret(
                ADMIN_PASSWORD.encode(), b"0123456789abcdef", time_cost=Argon2.time_cost,
                memory_cost=Argon2.memory_cost, parallelism=Argon2.parallelism, hash_len=32, type=Type.ID,
            )  # fmt: skip
            count += 1
        return count

    with ThreadPoolExecutor(PROCESSES) as pool:
        return sum(future.result() for future in [pool.submit(hash_for_a_while) for _ in range(PROCESSES)])


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("make bench-web needs wrk (sudo apt-get install wrk).")
    with tempfile.TemporaryDirectory() as folder:
        env = {f"RATE_LIMIT_{name}": NEVER_REACHED for name in ("DEFAULT", "AUTH", "STREAM")}
        with web_alone(Path(folder), None, DJANGO_SETTINGS_MODULE="bench.settings", **env) as platform:
            os.environ.update(platform.env)  # the hasher is measured in this process
            for title, measure in (
                ("Who am I", compare_me),
                ("Refreshing", measure_refresh),
                ("Signing in", measure_login),
                ("A storm of sign-ins", measure_storm),
            ):
                print(f"{title}:", flush=True)
                measure(platform)


if __name__ == "__main__":
    main()
