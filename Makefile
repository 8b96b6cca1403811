.DEFAULT_GOAL := help
GO ?= go
LINT_VERSION := v2.15.0
FAULTS ?= full

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/ltcles
	$(GO) build -trimpath -o bin/ltcles ./cmd/ltcles

.PHONY: demo
demo: build ## make a synthetic workspace in demo/ and run two months of it
	rm -rf demo
	bin/ltcles demo demo

.PHONY: test
test: ## run the tests; needs Go and a C compiler
	$(GO) test -timeout 20m ./...

.PHONY: faults
faults: strace ## kill and fail a run at each call on its workspace; FAULTS=short tries a sample
	FAULTS=$(FAULTS) $(GO) test -tags faults -count 1 -timeout 4h -v -run '^TestFaults' ./cmd/ltcles
	PUBLICATIONS=$(if $(filter short,$(FAULTS)),40,200) $(GO) test -count 1 -timeout 1h -v -run '^TestReadersDuringPublication$$' ./pipeline/snapshot

.PHONY: strace
strace:
	@command -v strace >/dev/null || { \
		echo "strace is missing; installing it with apt-get"; \
		sudo=$$(test $$(id -u) -eq 0 || echo sudo); \
		$$sudo apt-get update -qq && $$sudo apt-get install -y -qq strace; \
	} || { echo "install strace, which make faults needs (Linux only)"; exit 1; }

.PHONY: lint
lint: ## formatting, vet, and the linters with the import direction
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) run ./...

.PHONY: golden
golden: ## rewrite the expected results of the cases; review the difference like code
	$(GO) test ./pipeline -run TestCases -update

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	@for target in $$($(GO) test ./pipeline/emis -list '^Fuzz' | grep '^Fuzz'); do \
		$(GO) test ./pipeline/emis -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-30s} -fuzzminimizetime 10x || exit 1; \
	done
