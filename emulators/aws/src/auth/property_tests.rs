//! SigV4 against another implementation of it.
