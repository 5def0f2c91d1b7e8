use std::fmt;

use http::Uri;

/// Where another AWS emulator listens that stores and answers behind the front, such as LocalStack. The front decides;
/// the upstream is asked only what was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// `HOST:PORT`, as the `Host` header names it.
    authority: String,
}

/// Why a text is no upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamUrlError {
    /// It is no URL.
    #[error("upstream {0:?} is no URL: give one such as http://127.0.0.1:4566")]
    NotAUrl(String),
    /// It has another scheme than `http`.
    #[error("upstream {0:?} is not reached by plain HTTP: give a URL such as http://127.0.0.1:4566")]
    NotHttp(String),
    /// It has a path or a query, which would be lost.
    #[error("upstream {0:?} has a path: give the scheme, the host and the port alone, such as http://127.0.0.1:4566")]
    HasPath(String),
    /// It has a user or password.
    #[error("the upstream's URL holds a user or password, which it takes none of: give http://HOST:PORT")]
    HasUser,
}

// === impl Upstream ===

impl Upstream {
    /// `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// The text is no such URL.
    pub fn new(url: &str) -> Result<Self, UpstreamUrlError> {
        let not = || UpstreamUrlError::NotAUrl(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| not())?;
        let authority = uri.authority().ok_or_else(not)?;
        if authority.as_str().contains('@') {
            return Err(UpstreamUrlError::HasUser);
        }
        if uri.scheme_str() != Some("http") {
            return Err(UpstreamUrlError::NotHttp(url.to_owned()));
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(UpstreamUrlError::HasPath(url.to_owned()));
        }
        if authority.host().is_empty() {
            return Err(not());
        }
        Ok(Self {
            authority: authority.as_str().to_owned(),
        })
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:4566", "127.0.0.1:4566")]
    #[case("http://localstack:4566/", "localstack:4566")]
    #[case("http://[::1]:4566", "[::1]:4566")]
    fn a_url_of_host_and_port_is_an_upstream(#[case] url: &str, #[case] authority: &str) {
        assert_eq!(Upstream::new(url).expect("a good one").authority(), authority);
    }

    #[rstest]
    #[case("", UpstreamUrlError::NotAUrl(String::new()))]
    #[case("/path", UpstreamUrlError::NotAUrl("/path".to_owned()))]
    #[case("127.0.0.1:4566", UpstreamUrlError::NotHttp("127.0.0.1:4566".to_owned()))]
    #[case("https://a:1", UpstreamUrlError::NotHttp("https://a:1".to_owned()))]
    #[case("http://a:1/x", UpstreamUrlError::HasPath("http://a:1/x".to_owned()))]
    #[case("http://a:1/?x=1", UpstreamUrlError::HasPath("http://a:1/?x=1".to_owned()))]
    #[case("http://me:word@a:1", UpstreamUrlError::HasUser)]
    fn what_is_no_upstream_is_told_how_to_be_one(#[case] url: &str, #[case] expected: UpstreamUrlError) {
        assert_eq!(Upstream::new(url), Err(expected));
    }
}
