.DEFAULT_GOAL := help
GO ?= go
LINT_VERSION := v2.15.0
FAULTS ?= full
BENCH ?= icb
LICENCES_VERSION := v1.6.0
AXE_VERSION := 4.14.1
POWERQUERY_VERSION := 2.0.0
# Licences that ask for no more than their notice. rapid is under MPL-2.0, and in tests only: the check of
# what is linked, on Windows, makes no exception for it.
LICENCES := Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT

# Installs Debian packages, or says which ones are needed.
apt = { \
		echo "installing $(1) with apt-get"; \
		sudo=$$(test $$(id -u) -eq 0 || echo sudo); \
		$$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends $(1); \
	} || { echo "install $(1), which make $(firstword $(MAKECMDGOALS)) needs"; exit 1; }

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

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
faults: strace ## kill and fail run, freeze, rekey and purge at their calls on a workspace; FAULTS=short tries a sample
	FAULTS=$(FAULTS) $(GO) test -tags faults -count 1 -timeout 4h -v -run '^TestFaults' ./cmd/ltcles
	$(if $(filter short,$(FAULTS)),,PUBLICATIONS=200 $(GO) test -count 1 -timeout 1h -v -run '^TestReadersDuringPublication$$' ./pipeline/snapshot)

.PHONY: strace
strace:
	@command -v strace >/dev/null || $(call apt,strace)

.PHONY: test-tools
test-tools: chromium poppler libreoffice rscript bin/python bin/node bin/axe-core-$(AXE_VERSION)/package/axe.min.js ## have browsers, offices and other languages read what ltcles writes
	AXE=$(CURDIR)/bin/axe-core-$(AXE_VERSION)/package/axe.min.js \
	PYTHON=$(CURDIR)/bin/python/bin/python NODE=$$(command -v node) NODE_PATH=$(CURDIR)/bin/node/node_modules RSCRIPT=$$(command -v Rscript) \
		$(GO) test -tags withtools -count 1 -timeout 20m -run '^TestTools' ./pipeline/connect ./pipeline/dashboard ./pipeline/letters ./pipeline/workbook

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || $(call apt,chromium fonts-liberation)

.PHONY: poppler
poppler:
	@command -v pdftotext >/dev/null || $(call apt,poppler-utils)

.PHONY: libreoffice
libreoffice:
	@command -v soffice >/dev/null || $(call apt,libreoffice-calc-nogui)

# Versions are pinned. Debian has no pyarrow, so Python's packages come from PyPI into a folder of their own.
bin/python: pipeline/connect/testdata/requirements.txt
	@python3 -c 'import ensurepip, venv' || $(call apt,python3-venv)
	rm -rf $@ && python3 -m venv $@ && $@/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bin/node:
	@command -v npm >/dev/null || $(call apt,nodejs npm)
	npm install --silent --no-audit --no-fund --prefix $@ @microsoft/powerquery-parser@$(POWERQUERY_VERSION)

bin/axe-core-%/package/axe.min.js:
	@command -v npm >/dev/null || $(call apt,nodejs npm)
	@mkdir -p bin/axe-core-$*
	npm pack --silent --pack-destination bin/axe-core-$* axe-core@$*
	@tar -xzf bin/axe-core-$*/axe-core-$*.tgz -C bin/axe-core-$* package/axe.min.js package/LICENSE
	@touch $@

.PHONY: rscript
rscript:
	@Rscript -e 'library(jsonlite)' 2>/dev/null || $(call apt,r-base-core r-cran-jsonlite)

.PHONY: bench
bench: build pandas ## measure ltcles against other ways to the same figures; BENCH=england one run of England, BENCH=small a trial
	$(GO) build -o bin/bench ./fixtures/bench
	bin/bench -size $(BENCH)

.PHONY: pandas
pandas:
	@test $(BENCH) = england || /usr/bin/python3 -c 'import pandas' 2>/dev/null || $(call apt,python3-pandas)

.PHONY: mutants
mutants: ## change one rule of the SQL at a time; a test must notice each
	GO=$(GO) fixtures/mutants/run.sh

.PHONY: gomutants
gomutants: ## change one operator of the rules in Go at a time; report what the tests notice
	GO=$(GO) fixtures/mutants/go.sh

.PHONY: lint
lint: ## formatting, vet, and the linters with the import direction
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) run ./...

.PHONY: golden
golden: ## rewrite the expected results of the cases; review the difference like code
	$(GO) test ./pipeline -run TestCases -update

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	@for package in ./pipeline/emis ./snomed; do \
		for target in $$($(GO) test $$package -list '^Fuzz' | grep '^Fuzz'); do \
			$(GO) test $$package -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-30s} -fuzzminimizetime 10x || exit 1; \
		done; \
	done

.PHONY: licences
licences: bin/go-licenses-$(LICENCES_VERSION) ## check the licence of every dependency
	@check() { CGO_ENABLED=1 $< check --allowed_licenses=$(LICENCES) "$$@" 2>bin/licences.log || { cat bin/licences.log; exit 1; }; }; \
	check ./... --include_tests --ignore pgregory.net/rapid && GOOS=windows check ./cmd/ltcles

.PHONY: sbom
sbom: build bin/go-licenses-$(LICENCES_VERSION) ## write bin/ltcles.cdx.json: what the program is made of, as CycloneDX
	@bin/go-licenses-$(LICENCES_VERSION) report ./cmd/ltcles >bin/licences.csv 2>bin/licences.log || { cat bin/licences.log; exit 1; }
	$(GO) run ./cmd/sbom bin/ltcles bin/licences.csv >bin/ltcles.cdx.json

bin/go-licenses-$(LICENCES_VERSION):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/google/go-licenses@$(LICENCES_VERSION)
	@mv bin/go-licenses $@

.PHONY: reproducible
reproducible: ## build the last commit in two folders, with nothing shared, and compare
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && set -e && for place in one two/further; do \
		git clone -q . "$$dir/$$place/source"; \
		(cd "$$dir/$$place/source" && GOCACHE="$$dir/$$place/cache" $(GO) build -trimpath -o "$$dir/$$place/ltcles" ./cmd/ltcles); \
	done; cmp "$$dir/one/ltcles" "$$dir/two/further/ltcles" && echo "both builds are the same"
