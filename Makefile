# The commands of developers and operators. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: up test test-all lint bench bench-addresses bench-alike bench-lists bench-migration bench-reading bench-web help

# make up PORT=8010 WORKERS=3: make passes such variables to the recipe as environment.

up: ## install, start and supervise everything on this machine (PORT, WORKERS, BIND, DATA_DIR)
	local/python.sh -m local.up

test: ## all checks of behaviour: SQLite and PostgreSQL, real Redis, real ffmpeg, real Chromium
	sh tests/run.sh

test-all: ## the same, with the slow ones: default leases and timeouts, long uploads
	sh tests/run.sh all

lint: ## style, types, import rules, migrations, OpenAPI
	sh tests/lint.sh

bench: ## processing against ffmpeg by hand, in medians (ROUNDS, CLIPS); keep the machine idle
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.processing

bench-addresses: ## the cost of a playlist where media lie in buckets (TURNS)
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.addresses

bench-alike: ## whether the time of an answer reveals that an address has an account (TURNS)
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.alike

bench-lists: ## GET /content/ against baselines and an earlier commit, then its memory (ROUNDS, BEFORE, FILMS); needs wrk
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.lists
	.venv/bin/python -m bench.list_memory

bench-migration: ## how long the newest migrations take on a site with FILMS films
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.migration

bench-reading: ## how the code reads, in figures: lengths, calls from one place, comments
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.reading

bench-web: ## signing in, refreshing and auth/me under load, compared with baselines (ROUNDS, SECONDS); needs wrk
	@sh local/python.sh -m local.install requirements-dev.txt
	.venv/bin/python -m bench.web

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
