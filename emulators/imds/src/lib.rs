//! The EC2 instance metadata service of each node.
