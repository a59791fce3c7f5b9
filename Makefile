# What a person does with Halcyon. Each target is one script of Scripts/ or one command; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo serve deps build test test-conformance test-attacks test-python-models test-tritons-program test-address-sanitizer test-deployment check-cases check-docs lint format bench tune fuzz docs dist image install uninstall clean

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

test-python-models: ## models in Python, through Triton's own backend, which is fetched first
	@Scripts/deps --clients --python-models
	swift build --product halcyon
	.deps/clients/bin/python Tests/Conformance/run.py "$$(swift build --show-bin-path)/halcyon" python_models

test-tritons-program: ## Triton's own server program on our libtritonserver.so, asked what our server is asked
	@Scripts/deps --clients --python-models
	python3 -c 'import sys; sys.path[:0] = ["Tests/Conformance", "Benchmarks/triton"]; import triton; triton.fetch()'
	swift build --product halcyon
	swift build --product tritonserver
	.deps/clients/bin/python Tests/CInterface/conformance.py "$$(swift build --show-bin-path)"

test-address-sanitizer: ## Address Sanitizer over what shares memory with C and with other processes: a build of its own
	@Scripts/deps
	@Scripts/test_address_sanitizer

test-deployment: ## package, image, rolling updates and monitoring as a user has them: minutes, as root, with Debian's tools
	@Scripts/deps --clients --deployment --deployment-tools
	@Scripts/build --static halcyon people_detection
	python3 Tests/Deployment/run.py .build-package/release/halcyon --all --executables .build-package/release

CASES ?= ../shared/cases

check-cases: ## whether the cases of a folder are answered rightly: CASES=FOLDER (Tests/Cases/README.md)
	@Scripts/deps --clients --conformance
	swift build --product halcyon
	Scripts/check_cases $(CASES) --halcyon "$$(swift build --show-bin-path)/halcyon"

check-docs: ## run the commands and programs that README.md and docs/ show
	@Scripts/deps --clients --storage
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

tune: ## what instances and batches do to the demo's detector, and its best configuration on this machine
	@Scripts/tune

fuzz: ## feed damaged input to every parser and both wires
	@Fuzzing/run

docs: ## build the library's documentation
	@Scripts/docs

dist: ## make the packages: .tar.gz and .deb in out/dist, the same bytes each time
	@Scripts/dist

image: ## make a container image with buildah, without engines (Scripts/image --engine openvino puts one in)
	@Scripts/image

PREFIX ?= /usr/local/tritonserver

install: ## put libtritonserver.so, its headers, the server and the engines where Triton has them: PREFIX=$HOME/tritonserver
	@Scripts/install "$(PREFIX)"

uninstall: ## remove what `make install` has put into PREFIX
	@Scripts/install "$(PREFIX)" --uninstall

clean: ## remove what was built; .deps/ stays
	rm -rf .build .build-tsan .build-package out
