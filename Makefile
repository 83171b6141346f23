# `make` alone lists the targets.

MODE ?= UserPassword
PORT ?= 4566
CONFIG ?= default
export PORT

VENV := local/.venv
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY_ROOT := $(VENV)/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_DENY := $(CARGO_DENY_ROOT)/bin/cargo-deny
EMBEDDED_AWS := local/embedded-aws
BENCH := target/bench
NODE_PEER := $(BENCH)/node/bootstrap.js
PYTHON_PEER := $(BENCH)/python/bootstrap.py
LOCAL_CONFIG = $(if $(filter Passwordless,$(MODE)),passwordless,default)
STACK = $(if $(filter Passwordless,$(MODE)),auth-rocket-passwordless,auth-rocket)

.DEFAULT_GOAL := help
.PHONY: help tools build local local-down watch console deploy test test-console bench load lint clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

tools: $(VENV)/.installed ## Install the pinned tools into local/.venv

$(VENV)/.installed: local/requirements.txt
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed as python3"; exit 1; }
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r local/requirements.txt
	@touch $@

build: tools ## Build every function as it is deployed, into target/lambda
	PATH=$(CURDIR)/$(VENV)/bin:$$PATH cargo lambda build --release --locked $(BUILD_FLAGS)
	@local/check-glibc target/lambda/*/bootstrap

local: build ## Run the stack on an embedded AWS (MODE=UserPassword or Passwordless, PORT=4566)
	@$(EMBEDDED_AWS) up
	@$(EMBEDDED_AWS) deploy $(LOCAL_CONFIG)
	@$(EMBEDDED_AWS) next-steps $(STACK) $(MODE)

watch: tools ## Serve the routes on http://127.0.0.1:9000/auth/… as you edit (ACCOUNT=mine: on your AWS account)
	$(if $(ACCOUNT),,@$(EMBEDDED_AWS) run) local/watch $(STACK)

console: console/node_modules ## Serve the API reference and a walk through both modes (CONSOLE_PORT=9100)
	@node console/serve.mjs

console/node_modules: console/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later"; exit 1; }
	npm ci --prefix console --ignore-scripts --no-audit --no-fund
	@touch $@

deploy: tools ## Build and deploy to your AWS account (CONFIG=default, passwordless or prod; guided the first time)
	@local/deploy $(CONFIG)

local-down: ## End the embedded AWS that `make local` started
	@$(EMBEDDED_AWS) down

test: build ## Run all tests, on an embedded AWS of their own
	@cargo nextest --version >/dev/null 2>&1 || { echo "cargo-nextest is missing: cargo install cargo-nextest --locked"; exit 1; }
	local/test-stacks cargo nextest run --workspace --locked

test-console: build console/node_modules ## Run the console's tests in Chromium, which must be installed
	local/test-stacks local/test-console

bench: build $(NODE_PEER) $(PYTHON_PEER) ## Measure the functions beside others that do the same, into bench/results.md
	PATH=$(CURDIR)/$(VENV)/bin:$$PATH cargo lambda build --release --locked -p floor --lambda-dir $(BENCH)
	cargo bench --locked -p bench --bench bench

load: build ## Send the functions and the deployed API thousands of requests, into bench/load.md
	local/test-stacks cargo bench --locked -p bench --bench load

$(NODE_PEER): $(wildcard bench/peers/node/*.mjs) bench/peers/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later"; exit 1; }
	npm ci --prefix bench/peers/node --ignore-scripts --no-audit --no-fund
	bench/peers/node/node_modules/.bin/esbuild bench/peers/node/bootstrap.mjs --outfile=$@ \
		--bundle --minify --platform=node --target=node20 --log-level=warning

$(PYTHON_PEER): $(wildcard bench/peers/python/*) | tools
	rm -rf $(@D)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --target $(@D) -r bench/peers/python/requirements.txt
	cp bench/peers/python/*.py $(@D)

lint: tools $(CARGO_DENY) ## Check formats, lints, licences, scripts and the template
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO_DENY) --locked check licenses bans sources
	$(VENV)/bin/shellcheck .ci/run local/check-glibc local/deploy local/embedded-aws local/test-console \
		local/test-stacks local/watch
	$(VENV)/bin/cfn-lint template.yaml
	$(EMBEDDED_AWS) run sam validate --lint --language-extensions

$(CARGO_DENY): | tools
	cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(CARGO_DENY_ROOT)

clean: local-down ## Remove what was built and installed here
	rm -rf target local/.run local/.run-test bench/peers/node/node_modules console/node_modules $(VENV)
