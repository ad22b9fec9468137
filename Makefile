# OneHall: what one does with this tree. `make` alone lists it.
SHELL := /bin/bash
BIN   := $(CURDIR)/.bin
MODS  := proto services gateway deploy tools
STORES := $(wildcard services/*/internal/store)
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: ## start the whole hall on this machine and walk through one case
	go run ./deploy/onehall demo

.PHONY: test
test: ## run every test (PostgreSQL and Chromium are installed if absent)
	@deploy/testing/prepare
	go test -timeout 25m $(addprefix ./,$(addsuffix /...,$(MODS)))

.PHONY: race
race: ## run the concurrent parts under the race detector
	@# The million pairs of the clock's proof, which CI asks for, are counted once: by `make test`.
	CI= CGO_ENABLED=1 go test -race -timeout 20m ./services/platform/... ./gateway/...

# A release is compiled by where a hall under load spends its time. `go run` and the
# tests are not: compiling so takes minutes.
PROFILE := deploy/onehall/release.pgo

.PHONY: bench
bench: ## measure a release build, each figure beside its limit taken in the same run
	@deploy/testing/prepare
	go run -pgo=$(PROFILE) ./deploy/bench

.PHONY: profile
profile: ## take anew the profile that releases are compiled by
	rm -rf .cache/profile && mkdir -p .cache/profile
	@for part in group submit life; do ONEHALL_CPUPROFILE=$(CURDIR)/.cache/profile go run ./deploy/bench -short -only $$part || exit 1; done
	go tool pprof -proto .cache/profile/*.pprof > .cache/profile/all
	go tool preprofile -i .cache/profile/all -o $(PROFILE)

.PHONY: build
build: ## build the one program into .bin/onehall
	CGO_ENABLED=0 go build -trimpath -pgo=$(PROFILE) -o $(BIN)/onehall ./deploy/onehall

.PHONY: gen
gen: workshop ## generate Go, REST and OpenAPI from proto, and Go from the queries
	buf format -w proto
	buf lint
	rm -rf proto/gen proto/openapi/*.json
	buf generate
	@for s in $(STORES); do (cd $$s && sqlc generate) || exit 1; done

.PHONY: lint
lint: workshop ## check the contract's style and what would break its users
	buf lint
	buf format -d --exit-code proto
	go vet $(addprefix ./,$(addsuffix /...,$(MODS)))

.PHONY: breaking
breaking: workshop ## compare the contract with the one on main
	rm -rf .cache/against && mkdir -p .cache/against
	git archive main buf.yaml proto | tar x -C .cache/against
	cp -r .proto-deps .cache/against/
	buf breaking proto --against .cache/against/proto

.PHONY: workshop
workshop: $(BIN)/.workshop

$(BIN)/.workshop: tools/go.sum tools/buf/go.sum tools/sqlc/go.sum tools/protodeps/main.go
	GOWORK=off GOBIN=$(BIN) go -C tools install tool
	GOWORK=off GOBIN=$(BIN) go -C tools/buf install tool
	CGO_ENABLED=0 GOWORK=off GOBIN=$(BIN) go -C tools/sqlc install tool
	GOWORK=off go -C tools run ./protodeps -o ../.proto-deps
	touch $@

.PHONY: tidy
tidy: ## tidy every module
	@for m in $(MODS) tools/buf tools/sqlc; do (cd $$m && GOWORK=off go mod tidy) || exit 1; done
