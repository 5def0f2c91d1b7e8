# One entry for what one does often; `just` lists them.

default:
    @just --list

# Run the whole suite in the embedded world.
run *ARGS:
    cargo run -- run {{ARGS}}

# Every test, the scenarios among them.
test *ARGS:
    cargo test {{ARGS}}

# What a change must pass before it is shown to anybody.
ready:
    cargo fmt --all -- --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test

# Times of a world and of the suite, with their control.
bench:
    cargo bench -p rolecall --bench world

# Whether a run's own work grows with the number of scenarios and no faster; takes minutes.
copies:
    cargo bench -p rolecall --bench copies

# Licences, bans and sources of what is depended on.
deny:
    cargo deny check licenses bans sources

# Rewrite the golden texts of wrong scenario files; look at the difference before you keep it.
golden:
    UPDATE_GOLDEN=1 cargo test -p rolecall-scenario
