//! The part of the Kubernetes API server and kubelet that proxies and kube-rs use.
