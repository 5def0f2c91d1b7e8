//! Linux namespaces held by threads: networks of many hosts in one process.
