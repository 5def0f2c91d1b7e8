//! What a pod does: one metadata walk or one AWS call in a fresh process.
