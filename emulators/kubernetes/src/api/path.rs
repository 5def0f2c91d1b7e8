use std::fmt;

use http::Method;

/// What a request is aimed at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Resource(ResourcePath),
    /// Health, version, discovery, or nothing at all.
    Other(String),
}

/// A path below `/api/v1/` or `/apis/GROUP/VERSION/`, as Kubernetes' `RequestInfo` reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ResourcePath {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    /// The plural.
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// The old form `/api/v1/watch/…`.
    pub(crate) watch: bool,
}

/// What is to be done, in RBAC's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    /// A method that no resource has.
    Other,
}

// === impl Target ===

impl Target {
    pub(crate) fn parse(path: &str) -> Self {
        Self::resource(path).map_or_else(|| Self::Other(path.to_owned()), Self::Resource)
    }

    fn resource(path: &str) -> Option<ResourcePath> {
        let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
        let (group, version, mut rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let mut watch = false;
        if let ["watch", tail @ ..] = rest {
            (watch, rest) = (true, tail);
        }
        let mut namespace = None;
        let (resource, rest) = match rest {
            // The subresources of a namespace, not resources in one.
            ["namespaces", _, "status" | "finalize", ..] => {
                namespace = Some(rest[1]);
                ("namespaces", &rest[1..])
            }
            ["namespaces", inside, resource, tail @ ..] => {
                namespace = Some(*inside);
                (*resource, tail)
            }
            ["namespaces", name] => {
                namespace = Some(*name);
                ("namespaces", &rest[1..])
            }
            [resource, tail @ ..] => (*resource, tail),
            [] => return None,
        };
        Some(ResourcePath {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: rest.first().map(|s| (*s).to_owned()),
            subresource: (rest.len() > 1).then(|| rest[1..].join("/")),
            watch,
        })
    }
}

// === impl Verb ===

impl Verb {
    pub(crate) fn of(method: &Method, target: &Target, watch: bool) -> Self {
        let Target::Resource(path) = target else {
            return if matches!(*method, Method::GET | Method::HEAD) {
                Self::Get
            } else {
                Self::Other
            };
        };
        let named = path.name.is_some();
        match *method {
            Method::GET | Method::HEAD if path.watch || (watch && path.subresource.is_none()) => Self::Watch,
            Method::GET | Method::HEAD if named => Self::Get,
            Method::GET | Method::HEAD => Self::List,
            Method::POST => Self::Create,
            Method::PUT => Self::Update,
            Method::PATCH => Self::Patch,
            Method::DELETE if named => Self::Delete,
            Method::DELETE => Self::DeleteCollection,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Other => "use",
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/api/v1/pods", "pods", None, None, None)]
    #[case("/api/v1/namespaces/a/pods", "pods", Some("a"), None, None)]
    #[case("/api/v1/namespaces/a/pods/p", "pods", Some("a"), Some("p"), None)]
    #[case("/api/v1/namespaces/a/pods/p/status", "pods", Some("a"), Some("p"), Some("status"))]
    #[case("/api/v1/namespaces", "namespaces", None, None, None)]
    #[case("/api/v1/namespaces/a", "namespaces", Some("a"), Some("a"), None)]
    #[case("/api/v1/namespaces/a/status", "namespaces", Some("a"), Some("a"), Some("status"))]
    #[case("/api/v1/nodes/n", "nodes", None, Some("n"), None)]
    #[case("/apis/apps/v1/namespaces/a/daemonsets", "daemonsets", Some("a"), None, None)]
    #[case("/api/v1/watch/pods", "pods", None, None, None)]
    fn a_path_names_a_resource(
        #[case] path: &str,
        #[case] resource: &str,
        #[case] namespace: Option<&str>,
        #[case] name: Option<&str>,
        #[case] subresource: Option<&str>,
    ) {
        let Target::Resource(read) = Target::parse(path) else {
            panic!("{path} names no resource")
        };
        assert_eq!(read.resource, resource);
        assert_eq!(read.namespace.as_deref(), namespace);
        assert_eq!(read.name.as_deref(), name);
        assert_eq!(read.subresource.as_deref(), subresource);
    }

    #[rstest]
    #[case("/")]
    #[case("/api")]
    #[case("/api/v1")]
    #[case("/apis")]
    #[case("/apis/apps/v1")]
    #[case("/version")]
    fn discovery_and_health_are_no_resources(#[case] path: &str) {
        assert_eq!(Target::parse(path), Target::Other(path.to_owned()));
    }
}
