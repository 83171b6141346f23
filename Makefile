# `make` alone lists the targets.

MODE ?= UserPassword
PORT ?= 4566
CONFIG ?= default
# make local and make test do not need the long link of the release profile. Beside them, a benchmark does.
PROFILE ?= $(if $(filter-out local test,$(MAKECMDGOALS)),release,local)
FUZZ_SECONDS ?= 120

VENV := local/.venv
EMBEDDED_VENV := local/.venv-embedded-aws
LINT_VENV := local/.venv-lint
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY_ROOT := local/.tools/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_DENY := $(CARGO_DENY_ROOT)/bin/cargo-deny
EMBEDDED_AWS := local/embedded-aws
TEST_VENV := local/.venv-test
# Installs only pinned files. uv pip compile --no-deps --generate-hashes writes the hashes.
PIP_INSTALL := bin/pip install --disable-pip-version-check --no-deps --require-hashes
TEST_JS := crates/e2e/js
TEST_CLIENT := $(TEST_JS)/dist/client.js
EXPANDED := target/template
# The identity that the embedded AWS has.
SES := SesIdentityArn=arn:aws:ses:us-east-1:000000000000:identity/example.com EmailFrom=no-reply@example.com
# Options that are off by default: the scanner checks them too.
OPTIONS := PhoneSignUpRoles=User EnableWaf=true AlarmEmail=ops@example.com TracingMode=Active ContactChanges=REFUSED \
	DomainName=auth.example.com CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/1 HostedZoneId=Z0123456789 $(SES)
BENCH := target/bench
GO_PEERS := $(BENCH)/go/bootstrap $(BENCH)/go-static/bootstrap
# The folder of Debian's packages of Go libraries.
export GO_PATH := /usr/share/gocode
NODE_PEER := $(BENCH)/node/bootstrap.js
PYTHON_PEER := $(BENCH)/python/bootstrap.py
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ_ROOT := local/.tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)
CARGO_FUZZ := $(CARGO_FUZZ_ROOT)/bin/cargo-fuzz
CONSOLE := console/node_modules/.installed
LOCAL_CONFIG = $(if $(filter Passwordless,$(MODE)),passwordless,default)
# With codes by e-mail.
LOCAL_PARAMETERS = $(if $(filter Passwordless,$(MODE)),--parameter-overrides Mode=Passwordless PhoneSignUpRoles=User $(SES))
STACK = $(if $(filter Passwordless,$(MODE)),auth-rocket-passwordless,auth-rocket)
USERS = $(if $(ACCOUNT),,$(EMBEDDED_AWS) run) $(CURDIR)/$(VENV)/bin/python local/users.py

# These values reach the scripts unchanged: neither make nor a shell expands them.
GIVEN := MODE PORT CONFIG PROFILE TEST STACK USERNAME ROLE PHONE EMAIL FUZZ_SECONDS BUILD_FLAGS ACCOUNT GUIDED SLOW BEFORE
$(foreach name,$(GIVEN),$(if $(filter command environment,$(origin $(name))),\
	$(eval override $(name) := $$(value $(name)))))
export $(GIVEN)

.DEFAULT_GOAL := help
.PHONY: help check tools build local local-down watch console deploy smoke create-user list-users set-role
.PHONY: unlock-user test test-console fuzz bench load lint clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

# Before the first target, so that a missing program does not end the last one.
CHECKS = cargo python
local: CHECKS += mode port
test: CHECKS += npm nextest
test-console: CHECKS += npm
bench: CHECKS += npm go
console: CHECKS = npm
check:
	@local/check $(CHECKS)

tools: $(VENV)/.installed $(EMBEDDED_VENV)/.installed ## Install the pinned tools into local/.venv and others

# Each has its own folder, because make deploy and others run in local/.venv with your AWS credentials.
$(VENV)/.installed: local/requirements.txt
$(EMBEDDED_VENV)/.installed: local/requirements-embedded-aws.txt
$(LINT_VENV)/.installed: local/requirements-lint.txt
$(TEST_VENV)/.installed: crates/e2e/python/requirements.txt
$(VENV)/.installed $(EMBEDDED_VENV)/.installed $(LINT_VENV)/.installed $(TEST_VENV)/.installed: | check
	@echo "Installing $$(grep -c == $<) Python packages into $(@D)"
	@python3 -m venv --clear $(@D)
	@$(@D)/$(PIP_INSTALL) -r $<
	@touch $@

build: tools ## Build every function for Lambda, into target/lambda (PROFILE=local takes a quarter of the time)
	@echo "Building the functions with the profile $$PROFILE; docs/developing.md says how long it takes"
	@PATH=$(CURDIR)/$(VENV)/bin:$$PATH cargo lambda build --profile "$$PROFILE" --locked $$BUILD_FLAGS
	@local/check-glibc target/lambda/*/bootstrap

local: build ## Run the stack on an embedded AWS (MODE=UserPassword or Passwordless, PORT=4566)
	@$(EMBEDDED_AWS) up
	@$(EMBEDDED_AWS) deploy $(LOCAL_CONFIG) $(LOCAL_PARAMETERS)
	@$(EMBEDDED_AWS) next-steps "$$STACK" "$$MODE"

watch: tools ## Serve the routes on http://127.0.0.1:9000/auth/… and rebuild on save (ACCOUNT=mine: your AWS account)
	$(if $(ACCOUNT),,@$(EMBEDDED_AWS) run) local/watch "$$STACK"

console: $(CONSOLE) ## Serve the API reference and a walk-through of both modes (CONSOLE_PORT=9100)
	@node console/serve.mjs

$(CONSOLE): console/package-lock.json | check
	npm ci --prefix console --ignore-scripts --no-audit --no-fund
	@touch $@

deploy: tools ## Build and deploy to your AWS account (CONFIG=default, passwordless or prod; GUIDED=1 asks for everything)
	@PATH=$(CURDIR)/$(VENV)/bin:$$PATH python local/deploy.py "$$CONFIG" $(if $(GUIDED),--guided)

smoke: tools ## Check a stack on your AWS account: STACK=… [PHONE=+…] [EMAIL=…] [SLOW=1]
	@$(VENV)/bin/python local/smoke.py "$$STACK" --phone "$$PHONE" --email "$$EMAIL" $(if $(SLOW),--slow)

create-user: tools ## Make a confirmed user with any role: USERNAME=… ROLE=… (ACCOUNT=mine: on your AWS account)
	@$(USERS) $@ "$$STACK" "$$USERNAME" "$$ROLE"

list-users: tools ## List the users with their status and groups (ACCOUNT=mine: of your AWS account)
	@$(USERS) $@ "$$STACK"

set-role: tools ## Give a user another role: USERNAME=… ROLE=… (ACCOUNT=mine: on your AWS account)
	@$(USERS) $@ "$$STACK" "$$USERNAME" "$$ROLE"

unlock-user: tools ## Reset a user's limits of one-time codes: USERNAME=… (ACCOUNT=mine: on your AWS account)
	@$(USERS) $@ "$$STACK" "$$USERNAME"

local-down: ## Stop the embedded AWS of `make local` (PORT=4566)
	@$(EMBEDDED_AWS) down

# nextest rejects an expression if a part of it matches no file or crate.
SELECTED = test(~$$TEST)$(if $(wildcard crates/*/tests/$(TEST).rs), | binary($$TEST))$(if \
	$(wildcard */$(TEST)/Cargo.toml), | package($$TEST))

# With nice, because the embedded AWS comes before the tests: functions do not wait long for it.
test: build $(TEST_VENV)/.installed $(TEST_CLIENT) ## Run all tests on their own embedded AWS (TEST=…: tests of this name, file or crate; PROFILE=release)
	$(if $(TEST),,cargo nextest run --workspace --locked -E 'package(e2e) & binary(routes)')
	local/test-stacks nice cargo nextest run --workspace --locked \
		$(if $(TEST),-E "$(SELECTED)")

$(TEST_JS)/node_modules/.installed: $(TEST_JS)/package-lock.json | check
	npm ci --prefix $(TEST_JS) --ignore-scripts --no-audit --no-fund
	@touch $@

$(TEST_CLIENT): openapi.yaml $(TEST_JS)/tsconfig.json $(wildcard $(TEST_JS)/src/*) $(TEST_JS)/node_modules/.installed
	npm run build --prefix $(TEST_JS) --silent

test-console: build $(CONSOLE) ## Run the console's tests; needs Chromium
	local/test-stacks local/test-console

fuzz: $(CARGO_FUZZ) ## Fuzz the functions' entry for FUZZ_SECONDS=120, starting with the corpus
	@mkdir -p crates/hostile/fuzz/target/found
	cd crates/hostile && RUSTC_BOOTSTRAP=1 $(CURDIR)/$(CARGO_FUZZ) run --sanitizer none http fuzz/target/found \
		fuzz/corpus/http -- -max_total_time="$$FUZZ_SECONDS" -max_len=20000 -timeout=10 -dict=fuzz/http.dict

$(CARGO_FUZZ): | tools
	cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root $(CARGO_FUZZ_ROOT)

bench: build $(GO_PEERS) $(NODE_PEER) $(PYTHON_PEER) ## Measure the functions and their peers, into crates/bench/results.md
	PATH=$(CURDIR)/$(VENV)/bin:$$PATH cargo lambda build --release --locked -p floor --lambda-dir $(BENCH)
	BEFORE="$$BEFORE" cargo bench --locked -p bench --bench bench

load: build ## Send the functions and the deployed API thousands of requests, into crates/bench/load.md
	local/test-stacks cargo bench --locked -p bench --bench load

# Go's default on Linux, and without the C library.
$(BENCH)/go/bootstrap: export CGO_ENABLED := 1
$(BENCH)/go-static/bootstrap: export CGO_ENABLED := 0
$(GO_PEERS): $(wildcard crates/bench/peers/go/*.go) | check
	GO111MODULE=off GOPATH=$(GO_PATH) go build -trimpath -ldflags "-s -w" -o $@ ./crates/bench/peers/go

$(NODE_PEER): $(wildcard crates/bench/peers/node/*.mjs) crates/bench/peers/node/package-lock.json | check
	npm ci --prefix crates/bench/peers/node --ignore-scripts --no-audit --no-fund
	crates/bench/peers/node/node_modules/.bin/esbuild crates/bench/peers/node/bootstrap.mjs --outfile=$@ \
		--bundle --minify --platform=node --target=node20 --log-level=warning

$(PYTHON_PEER): $(wildcard crates/bench/peers/python/*) | tools
	rm -rf $(@D)
	$(VENV)/$(PIP_INSTALL) --target $(@D) -r crates/bench/peers/python/requirements.txt
	cp crates/bench/peers/python/*.py $(@D)

lint: tools $(LINT_VENV)/.installed $(CARGO_DENY) ## Check formats, lints, licences, scripts and the template
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO_DENY) --locked check licenses bans sources
	$(LINT_VENV)/bin/ruff check --quiet --config local/ruff.toml local crates
	$(VENV)/bin/shellcheck .ci/run local/check local/check-glibc local/embedded-aws local/run-route local/test-console \
		local/test-stacks local/watch
	$(VENV)/bin/cfn-lint template.yaml
	$(EMBEDDED_AWS) run sam validate --lint --language-extensions
	@mkdir -p $(EXPANDED)
	$(EMBEDDED_VENV)/bin/python local/expand_template.py $(OPTIONS) "ResetEmailMessage={####}" >$(EXPANDED)/UserPassword.json
	$(EMBEDDED_VENV)/bin/python local/expand_template.py $(OPTIONS) Mode=Passwordless \
		>$(EXPANDED)/Passwordless.json
	$(LINT_VENV)/bin/checkov --config-file local/checkov.yaml --file $(EXPANDED)/UserPassword.json $(EXPANDED)/Passwordless.json

$(CARGO_DENY): | tools
	cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(CARGO_DENY_ROOT)

clean: ## Stop every embedded AWS, and delete everything that was built and installed here
	@for run in local/.run/*/pid; do [ ! -f "$$run" ] || PORT=$$(basename "$${run%/pid}") $(EMBEDDED_AWS) down; done
	rm -rf target local/.run local/.run-test crates/bench/peers/node/node_modules $(VENV) $(EMBEDDED_VENV) $(LINT_VENV)
	rm -rf local/.tools $(TEST_VENV) $(TEST_JS)/node_modules $(TEST_JS)/dist console/node_modules
