from pathlib import Path

import pytest

from config.env_file import BASE_DIR
from local.options import read_options
from local.problem import Problem


def test_without_settings_the_platform_is_for_this_machine_only() -> None:
    options = read_options({})
    assert (options.port, options.bind, options.workers) == (8000, "127.0.0.1", 2)
    assert options.data_dir == BASE_DIR / "var"
    assert options.origin == "http://localhost:8000"


def test_port_workers_and_data_folder_are_honoured() -> None:
    options = read_options({"PORT": "8010", "WORKERS": "3", "DATA_DIR": "/srv/films"})
    assert (options.port, options.workers, options.data_dir) == (8010, 3, Path("/srv/films"))
    assert options.origin == "http://localhost:8010"


def test_an_origin_that_is_set_stays() -> None:
    assert read_options({"PORT": "8010", "BACKEND_ORIGIN": "http://box.lan/"}).origin == "http://box.lan"


@pytest.mark.parametrize("name", ["REDIS_URL", "REDIS_HOST"])
def test_a_redis_of_the_operator_is_used(name: str) -> None:
    assert not read_options({}).has_own_redis
    assert read_options({name: "redis"}).has_own_redis


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "8000.5", "80 00", "³", "9" * 5000])
def test_a_value_that_is_no_port_is_refused_in_one_sentence(value: str) -> None:
    with pytest.raises(Problem, match=r"^PORT is '.*': set it to a whole number from 1 to 65535\.$"):
        read_options({"PORT": value})


def test_workers_that_are_no_number_are_refused_in_one_sentence() -> None:
    with pytest.raises(Problem, match=r"^WORKERS is 'many': set it to a whole number from 1 to 64\.$"):
        read_options({"WORKERS": "many"})


def test_a_long_value_is_not_shown_in_full() -> None:
    with pytest.raises(Problem, match=r"^PORT is 'x{100}…': set it to"):
        read_options({"PORT": "x" * 9999})
