"""`make up`: everything on this machine, from a fresh clone to a page that plays."""

import http.client
import signal
import sys
from collections.abc import Mapping, Sequence

from config.env_file import BASE_DIR, UnreadableSetting, given_values
from local import environment, redis
from local.checks import check_port, check_space, check_writable, claim
from local.console import print_line, say
from local.install import PYTHON, ensure_installed
from local.options import Options, read_options
from local.problem import Problem, describe_os_error
from local.programs import Program
from local.supervise import Stopped, Supervisor, on_signals

WEB_LIMIT_S = 60
REDIS_LIMIT_S = 20
SIGN_IN = "Sign in as "


def up() -> None:
    given = given_values()
    options = read_options(given)
    check_port(options.bind, options.port)
    check_writable(options.data_dir, remedy="set DATA_DIR to a folder that you may write to")
    check_space(options.data_dir)
    with claim(options.data_dir):
        ensure_installed()
        Platform(options, given).run()


class Platform:
    """Redis, web, workers and the reaper of one data folder."""

    def __init__(self, options: Options, given: Mapping[str, str]) -> None:
        self.options = options
        self.redis_server = "" if options.has_own_redis else redis.find_server()
        self.redis_socket = redis.choose_socket(options.data_dir)
        settings = environment.chosen_settings(options, redis_url=redis.url_of(self.redis_socket), given=given)
        environment.ensure_secret(options.data_dir / "secret_key")
        environment.write_local_env(options.data_dir / "local.env", settings)
        self.prepared = options.data_dir / "prepared"
        settings = {**settings, "PREPARED_FILE": str(self.prepared)}
        env = environment.child_environment(settings, data_dir=options.data_dir)
        self.supervisor = Supervisor(env, BASE_DIR)
        self.setup_lines: list[str] = []
        self.is_sign_in_shown = False

    def run(self) -> None:
        """Runs until Ctrl-C; however it ends, no process of it is left."""
        try:
            say("Starting …")
            self.start_redis()
            self.start_web()
            self.prepare()
            self.wait_for_web()
            self.show_banner()
            self.start_workers()
            self.supervisor.run()
        except Stopped:
            say("Stopping …")
        finally:
            self.supervisor.stop(last=[child for child in self.supervisor.children if child.program.name == "redis"])
            redis.forget_socket(self.redis_socket, self.options.data_dir)
            self.show_sign_in()
        say("Stopped; `make up` starts it again.")

    def start_redis(self) -> None:
        if self.redis_server:
            folder = self.options.data_dir / "redis"
            folder.mkdir(exist_ok=True)
            argv = redis.server_args(self.redis_server, socket_path=self.redis_socket, folder=folder)
            self.supervisor.start(Program("redis", argv))

    def start_web(self) -> None:
        """Starts before the database is prepared: the application loads on a second processor meanwhile."""
        self.prepared.unlink(missing_ok=True)
        host = f"[{self.options.bind}]" if ":" in self.options.bind else self.options.bind
        argv = [str(PYTHON), "-m", "gunicorn", "-c", "local/gunicorn_conf.py", "--bind", f"{host}:{self.options.port}"]
        self.supervisor.start(Program("web", [*argv, "config.wsgi:application"]))

    def prepare(self) -> None:
        argv = manage("bootstrap", "--migrate")
        setup = self.supervisor.start(Program("setup", argv, is_once=True, on_line=self.setup_lines.append))
        self.supervisor.run_until(lambda: setup.has_ended)
        if setup.returncode != 0:
            raise Problem(describe_failure(self.setup_lines))
        for line in self.setup_lines:
            if not line.startswith(SIGN_IN):
                print_line("setup", line)
        if self.redis_server and not self.supervisor.run_until(self.is_redis_up, limit_s=REDIS_LIMIT_S):
            log = self.options.data_dir / "redis" / "redis.log"
            raise Problem(f"Redis does not start ({log} says why): install another redis-server or set REDIS_URL.")
        self.prepared.touch()

    def is_redis_up(self) -> bool:
        return redis.is_up(self.redis_socket)

    def wait_for_web(self) -> None:
        if not self.supervisor.run_until(self.is_web_up, limit_s=WEB_LIMIT_S):
            raise Problem(f"The web server does not answer on port {self.options.port}: the lines above say why.")

    def is_web_up(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.bind, self.options.bind)  # noqa: S104 - compared
        connection = http.client.HTTPConnection(host, self.options.port, timeout=5)
        try:
            connection.request("GET", "/health/", headers={"Host": "localhost"})
            return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def start_workers(self) -> None:
        """Starts after the web server, which people wait for."""
        for number in range(1, self.options.workers + 1):
            self.supervisor.start(worker(f"worker-{number}"))
        # For jobs of seconds, which must not wait for films of hours.
        self.supervisor.start(worker("errands", "default"))
        self.supervisor.start(Program("reaper", manage("reaper")))
        self.supervisor.start(Program("demo", manage("add_demo", "--follow"), is_once=True))

    def show_banner(self) -> None:
        origin = self.options.origin
        say(f"\nVideoflix is up; Ctrl-C ends it, and its data stay in {self.options.data_dir}.\n")
        for name, path in (("Watch", "/"), ("Admin", "/admin/"), ("API docs", "/api/docs/")):
            say(f"  {name:<10}{origin}{path}")
        if not self.options.has_mail_server:
            say(f"  {'Mails':<10}{self.options.data_dir / 'mail'} (set EMAIL_HOST to have them sent)")
        self.show_sign_in()
        say("")

    def show_sign_in(self) -> None:
        """Shows the sign-in once, even when the platform stops before the banner: no later start shows the password."""
        if not self.is_sign_in_shown:
            self.is_sign_in_shown = True
            for line in self.setup_lines:
                if line.startswith(SIGN_IN):
                    say(f"  {line}")


def describe_failure(lines: Sequence[str]) -> str:
    """The reason why `manage.py bootstrap` failed, from its output: a sentence, or the list of wrong settings.

    After a crash it prints the output and refers to it.
    """
    if not lines or any(line.startswith("Traceback") for line in lines):
        for line in lines:
            print_line("setup", line)
        return "The database could not be prepared: the lines above say why."
    if any(line.startswith("SystemCheckError: ") for line in lines):
        # Each problem of a system check, and its hint in a line below.
        problems = [line.removeprefix("?: ") for line in lines if line.startswith(("?: ", "\tHINT: "))]
        return "\n".join(["Videoflix cannot start:", *problems])
    return lines[-1].removeprefix("CommandError: ")


def manage(*arguments: str) -> list[str]:
    return [str(PYTHON), "manage.py", *arguments]


def worker(name: str, *queues: str) -> Program:
    return Program(
        name,
        manage("rqworker", *queues, "--verbosity", "0"),
        # On SIGTERM a worker would finish its film first, which may take hours.
        death_signal=signal.SIGKILL,
        # The second SIGTERM ends the job; RQ ignores it within a second of the first.
        asked_at_s=(0.0, 1.5),
    )


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    on_signals((signal.SIGTERM, signal.SIGHUP), interrupt)
    try:
        up()
    except (Problem, UnreadableSetting) as problem:
        sys.exit(str(problem))
    except OSError as error:
        sys.exit(f"Videoflix cannot run here ({error.filename or 'system'}: {describe_os_error(error)}).")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
