# All that a newcomer needs. `make` alone says what there is.
#
# Everything is built with one profile (release), so that nothing is compiled twice. The build goes
# to target/, or to $CARGO_TARGET_DIR.

CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
SIGHTLINE := $(CARGO_TARGET_DIR)/release/sightline

.PHONY: help demo test bench check deps

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: deps ## films a simulated line, inspects every part, shows the report
	cargo build --release --locked --workspace --bins
	@deploy/demo.sh "$(SIGHTLINE)"

test: deps ## all tests
	cargo test --release --locked --workspace

bench: deps ## how fast: tables here, numbers in target/bench
	cargo bench --locked --workspace --bench '*'

check: deps ## formatting, lints, licences: what a change must pass besides its tests
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	@deploy/deny.sh

deps: ## system packages and ONNX Runtime (does nothing where they are)
	@deploy/deps.sh
