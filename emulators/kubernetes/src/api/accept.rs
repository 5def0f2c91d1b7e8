use http::{HeaderMap, header::ACCEPT};

use super::{ApiError, query::Query};

/// The form of an answer to a get, a list or a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// The object itself.
    Object,
    /// A `meta.k8s.io` table, as kubectl prints it.
    Table(Include),
}

/// What each row of a table says of its object (`includeObject`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Include {
    None,
    Metadata,
    Object,
}

// === impl Form ===

impl Form {
    /// The first form of `Accept` that this server has. What it has not, such as protobuf, is answered as an object
    /// in JSON too: clients fall back to it.
    pub(super) fn of(headers: &HeaderMap, query: &Query) -> Result<Self, ApiError> {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let json = matches!(parts.next(), Some("application/json" | "application/*" | "*/*"));
            let parameters: Vec<&str> = parts.collect();
            let given = |name: &str| parameters.iter().find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
            match given("as") {
                None if json => return Ok(Self::Object),
                Some("Table")
                    if json && given("g") == Some("meta.k8s.io") && matches!(given("v"), Some("v1" | "v1beta1")) =>
                {
                    return Include::parse(query.text("includeObject")).map(Self::Table);
                }
                _ => {}
            }
        }
        Ok(Self::Object)
    }
}

// === impl Include ===

impl Include {
    fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::None),
            "Object" => Ok(Self::Object),
            other => Err(ApiError::bad_request(format!(
                "unrecognized includeObject value: {other:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TABLE: Form = Form::Table(Include::Metadata);

    #[rstest]
    #[case(
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
        TABLE
    )]
    #[case("application/json; as=Table; g=meta.k8s.io; v=v1", TABLE)]
    #[case("application/json, application/json;as=Table;v=v1;g=meta.k8s.io", Form::Object)]
    #[case("application/json;as=Table;v=v2;g=meta.k8s.io", Form::Object)]
    #[case("application/json;as=Table;v=v1;g=example.com", Form::Object)]
    #[case(
        "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json",
        Form::Object
    )]
    #[case("application/yaml", Form::Object)]
    #[case("*/*", Form::Object)]
    fn the_first_form_that_is_known_is_taken(#[case] accept: &str, #[case] expected: Form) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header"));
        assert_eq!(Form::of(&headers, &Query::parse(None)), Ok(expected));
    }
}
