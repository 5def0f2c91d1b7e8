use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

pub(crate) type Answer = Response<Full<Bytes>>;

/// The life of a session token, in seconds: asked for in a token request, said in every answer to one that has a token.
pub(crate) const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

/// A text, with no newline added.
pub(crate) fn text(body: String) -> Answer {
    answer(StatusCode::OK, "text/plain", body)
}

/// An error, as a page.
pub(crate) fn error(status: StatusCode) -> Answer {
    let title = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
         \t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    answer(status, "text/html", page)
}

/// The redirect from a listing's path without a slash.
pub(crate) fn moved(path: &str) -> Answer {
    let mut answer = error(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::try_from(format!("http://169.254.169.254{path}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// Adds the seconds that the request's token is still good for.
pub(crate) fn with_ttl(mut answer: Answer, seconds: i64) -> Answer {
    answer.headers_mut().insert(TTL, HeaderValue::from(seconds));
    answer
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
        .headers_mut()
        .insert(header::SERVER, HeaderValue::from_static("EC2ws"));
    answer
}
