use http::HeaderMap;

use crate::{params::Params, request::Received};

/// The service a request is for, which decides the form of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    S3,
    /// Amazon Elasticsearch Service and its successor OpenSearch, both signed as `es`.
    Es,
    Ec2,
    /// One the front does not serve, by its signing name.
    Other {
        name: String,
        json: bool,
    },
}

// === impl Service ===

impl Service {
    /// The service of a credential scope.
    pub(crate) fn of_scope(name: &str, headers: &HeaderMap) -> Self {
        match name {
            "iam" => Self::Iam,
            "sts" => Self::Sts,
            "s3" | "s3express" => Self::S3,
            "es" => Self::Es,
            "ec2" => Self::Ec2,
            other => Self::Other {
                name: other.to_owned(),
                json: is_json(headers),
            },
        }
    }

    /// The service of a request without a credential scope: by its API version, path or `X-Amz-Target`; else S3, the one
    /// that is asked without signature.
    pub(crate) fn guess(request: &Received, params: &Params) -> Self {
        let host = request.header("host").unwrap_or_default();
        let first = host.split('.').next().unwrap_or_default();
        match params.get("Version") {
            Some("2011-06-15") => return Self::Sts,
            Some("2010-05-08") => return Self::Iam,
            Some("2016-11-15") => return Self::Ec2,
            _ => {}
        }
        if ["/2015-01-01/", "/2021-01-01/"]
            .iter()
            .any(|version| request.path.starts_with(version))
        {
            return Self::Es;
        }
        match first {
            "sts" => Self::Sts,
            "iam" => Self::Iam,
            "ec2" => Self::Ec2,
            _ if request.headers.contains_key("x-amz-target") => Self::Other {
                name: "unknown".to_owned(),
                json: true,
            },
            _ if params.get("Action").is_some() => Self::Sts,
            _ => Self::S3,
        }
    }

    /// The signing name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::S3 => "s3",
            Self::Es => "es",
            Self::Ec2 => "ec2",
            Self::Other { name, .. } => name,
        }
    }

    /// The XML namespace of the answers.
    pub(crate) fn namespace(&self) -> &'static str {
        match self {
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::Es | Self::Other { .. } => "http://webservices.amazon.com/AWSFault/2005-15-09",
        }
    }

    /// The API version, which an unknown action is told.
    pub(crate) fn version(&self) -> &'static str {
        match self {
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
            Self::Ec2 => "2016-11-15",
            Self::S3 => "2006-03-01",
            Self::Es => "2015-01-01",
            Self::Other { .. } => "unknown",
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-target")
        || headers
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.contains("json"))
}
