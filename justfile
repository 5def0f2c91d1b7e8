# One entry for what one does often; `just` lists them.

# Where the reports of a night lie.
nightly := "target/nightly"

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

# What continuous integration does: `ready`, and licences, bans and sources.
ci: ready deny

# The chapter's scenarios in a kind cluster with LocalStack; wants Docker and kind.
kind *ARGS:
    cargo run -- run --tag seed --world kind {{ARGS}}

# All that kind can prove: the suite, every reversal, how runs end, and the emulator's tests. About two hours.
kind-full *ARGS: (kind-suite ARGS) kind-reversals kind-ends kind-api

# The whole suite in kind.
kind-suite *ARGS:
    cargo run -- run --world kind {{ARGS}}

# Every reversal of the suite in kind: each must fail at its step.
kind-reversals:
    cargo test -p rolecall --test kind -- --ignored --nocapture every_reversal

# The further tests in kind: what runs find out, and that those which cannot start or are ended at twenty moments leave nothing.
kind-ends:
    cargo test -p rolecall --test kind -- --ignored --nocapture --skip every_reversal

# The tests of the Kubernetes emulator against the API server of a kind cluster that is made for them.
kind-api:
    #!/usr/bin/env bash
    set -euo pipefail
    name=rolecall-api-$$ folder=$(mktemp -d)
    trap 'kind delete cluster --name "$name" >/dev/null 2>&1; rm -rf "$folder"' EXIT
    printf '%s\n' 'kind: Cluster' 'apiVersion: kind.x-k8s.io/v1alpha4' 'nodes: [{ role: control-plane }, { role: worker }, { role: worker }]' |
        kind create cluster --name "$name" --config - --image kindest/node:v1.36.3 --kubeconfig "$folder/kubeconfig"
    # What the tests' pods run is any program that waits; each node brings one along.
    for node in $(kind get nodes --name "$name"); do
        pause=$(docker exec "$node" ctr --namespace k8s.io images list --quiet | grep -m 1 '/pause:')
        for image in app:1 daemon:1 web:1 web:2; do
            docker exec "$node" ctr --namespace k8s.io images tag "$pause" "example.com/$image" >/dev/null
        done
    done
    ROLECALL_KUBECONFIG=$folder/kubeconfig cargo test -p rolecall-kubernetes --test api

# The verdicts of the embedded world and of kind, side by side, as text and in target/verdicts.md; fails if two contradict.
kind-verdicts:
    cargo run -- run --report json=target/embedded.json
    cargo run -- run --world kind --report json=target/kind.json
    cargo run -- compare target/embedded.json target/kind.json --side-by-side --markdown target/verdicts.md

# Images of the proxy and of the tools as files for `docker load`, in target/images.
images *ARGS:
    cargo run -- image build {{ARGS}}

# All that the nightly job does, one part after the other.
nightly: nightly-embedded nightly-real-time nightly-kind

# The suite in the embedded world, twenty times: each scenario must end alike each time.
nightly-embedded: (_report "embedded" "--repeat 20")

# A scenario about time without moving any clock: a quarter of an hour passes.
nightly-real-time: (_report "real-time" "kube2iam/cache-fifteen-minutes --real-time")

# The suite in kind.
nightly-kind: (_report "kind" "--world kind")

# Compare a part's verdicts with those of the night before, which lie in target/nightly/before/ if there was one.
nightly-compare PART:
    #!/usr/bin/env bash
    set -euo pipefail
    new={{nightly}}/{{PART}}.json old={{nightly}}/before/{{PART}}.json summary={{nightly}}/{{PART}}.md
    mkdir -p {{nightly}}
    if [ ! -f "$new" ]; then
        echo "This night has no report: the run did not come so far." | tee "$summary"
        exit 1
    fi
    if [ -f "$old" ]; then
        cargo run --release -- compare "$old" "$new" --markdown "$summary"
    else
        cargo run --release -- compare "$new" "$new" --markdown "$summary"
        echo "There was no report of the night before: this one was compared with itself." | tee -a "$summary"
    fi

# Compare the verdicts of two JSON reports; fails if something became worse.
compare OLD NEW *ARGS:
    cargo run -- compare {{OLD}} {{NEW}} {{ARGS}}

_report PART FLAGS:
    mkdir -p {{nightly}}
    cargo run --release -- run {{FLAGS}} --report json={{nightly}}/{{PART}}.json --report junit={{nightly}}/{{PART}}.xml

# Times of a world and of the suite, with their control.
bench:
    cargo bench -p rolecall --bench world

# Whether a run's own work grows with the number of scenarios and no faster; takes minutes.
copies:
    cargo bench -p rolecall --bench copies

# What the AWS front takes for a decision and an object, and (ROLECALL_LOCALSTACK=URL) adds to LocalStack; takes minutes.
bench-aws:
    cargo bench -p iam-policy
    cargo bench -p rolecall-aws --bench get_object --bench memory --bench upstream

# Licences, bans and sources of what is depended on.
deny:
    cargo deny check licenses bans sources

# Rewrite the golden texts of wrong scenario files; look at the difference before you keep it.
golden:
    UPDATE_GOLDEN=1 cargo test -p rolecall-scenario
