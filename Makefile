# What a person does with Halcyon. Each target is one script of Scripts/ or one command; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo serve deps build test lint format bench fuzz docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

lint: ## check format, imports, unused code and the other rules of the house, without building
	@Scripts/lint

format: ## format the Swift sources in place
	swift format --in-place --parallel --recursive $(wildcard Sources Tests Examples Benchmarks Fuzzing Package.swift)

bench: ## measure against OpenVINO's own benchmark program in the same run
	@Scripts/deps --benchmarks
	@Benchmarks/run

fuzz: ## feed damaged model configurations to the parser
	@Fuzzing/run

docs: ## build the library's documentation
	@Scripts/docs

clean: ## remove what was built; .deps/ stays
	rm -rf .build .build-tsan out
