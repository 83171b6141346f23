# `make` alone lists the targets.

MODE ?= UserPassword
PORT ?= 4566
CONFIG ?= default
export PORT

VENV := local/.venv
EMBEDDED_AWS := local/embedded-aws
LOCAL_CONFIG = $(if $(filter Passwordless,$(MODE)),passwordless,default)
STACK = $(if $(filter Passwordless,$(MODE)),auth-rocket-passwordless,auth-rocket)

.DEFAULT_GOAL := help
.PHONY: help tools build local local-down watch deploy test lint clean

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

deploy: build ## Deploy to your AWS account (CONFIG=default, passwordless or prod; guided the first time)
	@local/deploy $(CONFIG)

local-down: ## End the embedded AWS that `make local` started
	@$(EMBEDDED_AWS) down
