//! The kind world as a user meets it. Each of these takes a cluster and minutes, so they are ignored unless they are asked
//! for: `cargo test -p rolecall -- --ignored kind`. Where there is no Docker or no kind each says so and proves nothing.

mod kind_bad_input;
mod kind_ends;
mod kind_facts;
mod kind_heard;
mod kind_kills;
mod kind_left;
mod kind_reversals;
mod kind_run;
mod kind_world;
#[path = "../reversals/table/mod.rs"]
mod table;
