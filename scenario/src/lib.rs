//! The scenario language: from YAML text to a checked scenario, with a span on everything.
