"""The platform on one machine, from a fresh clone: `make up` installs, starts and supervises everything.

Standard library only: this runs before anything is installed.

| Module         | Does                                                                       |
|----------------|----------------------------------------------------------------------------|
| `python.sh`    | finds a Python that will do                                                |
| `options`      | PORT, BIND, WORKERS, DATA_DIR from the environment and `.env`              |
| `checks`       | what would fail later, said now in one sentence                            |
| `install`      | `.venv` with the pinned requirements, once                                 |
| `redis`        | which redis-server to run, and where it listens                            |
| `environment`  | the settings that the services get unless the operator set them            |
| `supervise`    | starts programs, restarts what dies, ends all of them (`linux`: how, here) |
| `up`           | all of these in order                                                      |
"""
