"""`make up`: installs, starts and supervises the platform on one machine, from a fresh clone.

Standard library only, because it runs before any package is installed.

| Module         | Does                                                                       |
|----------------|----------------------------------------------------------------------------|
| `python.sh`    | finds Python 3.11 or newer                                                 |
| `options`      | PORT, BIND, WORKERS, DATA_DIR from the environment and `.env`              |
| `checks`       | checks port, folders and disk before anything is started                   |
| `install`      | installs the pinned requirements into `.venv`, once                        |
| `redis`        | finds a redis-server, and chooses its socket                               |
| `environment`  | chooses the settings of the services that the operator did not set         |
| `supervise`    | starts programs, restarts and ends them (`linux`: the system calls)        |
| `up`           | runs all of these in order                                                 |
"""
