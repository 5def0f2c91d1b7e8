//! Vault's HTTP API as far as pods get AWS credentials through it, and a recording forwarder for a real one.
