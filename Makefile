.DEFAULT_GOAL := help
GO ?= go
LINT_VERSION := v2.15.0

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
