# What a person does with Halcyon. Each target is one script of Scripts/ or one command; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo serve deps build test test-conformance test-attacks check-cases check-docs lint format bench fuzz docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## find people in a photograph four ways, and compare: instances, batches, both, INT8
	@Scripts/demo

serve: ## serve the demo's models over HTTP (8000) and gRPC (8001), with metrics (8002)
	@Scripts/serve

deps: ## install the system packages that are missing; fetch engine, model and picture into .deps/
	@Scripts/deps

build: ## build everything in release mode
	swift build -c release

test: ## everything that must hold: lint, unit tests, Thread Sanitizer, the sample and the server end to end
	@Scripts/test

test-conformance: ## ONNX's operator test cases, asked of both engines through the server
	@Scripts/deps --conformance
	swift build --product halcyon
	.deps/conformance/bin/python Tests/ONNX/run.py "$$(swift build --show-bin-path)/halcyon"

test-attacks: ## what attackers try, beside innocent clients: the long form
	@Scripts/deps --clients
	swift build --product halcyon
	.deps/clients/bin/python Tests/Attacks/run.py "$$(swift build --show-bin-path)/halcyon"

CASES ?= ../shared/cases

check-cases: ## whether the cases of a folder are answered rightly: CASES=FOLDER (Tests/Cases/README.md)
	@Scripts/deps --clients --conformance
	swift build --product halcyon
	Scripts/check_cases $(CASES) --halcyon "$$(swift build --show-bin-path)/halcyon"

check-docs: ## run the commands and programs that README.md and docs/ show
	@Scripts/deps --clients
	swift build --product halcyon
	swift build --product people_detection
	Scripts/check_docs --programs "$$(swift build --show-bin-path)"

lint: ## check format, imports, unused code and the other rules of the house, without building
	@Scripts/lint

format: ## format the Swift sources in place
	swift format --in-place --parallel --recursive $(wildcard Sources Tests Examples Benchmarks Fuzzing Package.swift)

bench: ## measure against OpenVINO's own benchmark program in the same run
	@Scripts/deps --benchmarks
	@Benchmarks/run

fuzz: ## feed damaged input to every parser and both wires
	@Fuzzing/run

docs: ## build the library's documentation
	@Scripts/docs

clean: ## remove what was built; .deps/ stays
	rm -rf .build .build-tsan out
