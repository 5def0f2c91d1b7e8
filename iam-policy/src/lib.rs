//! AWS IAM policies: parse, evaluate, explain.
