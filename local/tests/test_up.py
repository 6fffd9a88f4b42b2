"""Which programs `make up` starts."""

from local.up import worker


def test_a_worker_serves_every_queue_unless_it_is_given_one() -> None:
    assert worker("worker-1").argv[1:] == ["manage.py", "rqworker", "--verbosity", "0"]
    assert worker("errands", "default").argv[1:] == ["manage.py", "rqworker", "default", "--verbosity", "0"]
