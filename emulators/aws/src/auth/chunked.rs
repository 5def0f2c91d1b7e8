use super::{AuthFailure, hex_digest::HexDigest, presented::Signed, signature::SigningKey};

/// Longest line that starts a chunk or is a trailer.
const LINE: usize = 4096;

/// How the chunks of an `aws-chunked` body are signed: each over the one before, the first over the request itself.
pub(crate) struct ChunkSigner<'a> {
    pub(crate) key: &'a SigningKey,
    pub(crate) signed: &'a Signed,
    /// Whether the trailer is signed too.
    pub(crate) trailer: bool,
}

/// An `aws-chunked` body, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) body: Vec<u8>,
    /// Trailing headers, names in small letters.
    pub(crate) trailers: Vec<(String, String)>,
}

/// Decodes `SIZE[;chunk-signature=…]\r\nDATA\r\n … 0…\r\n[TRAILER:VALUE\r\n …]\r\n`, and verifies the chunks' signatures
/// where there is a `signer`.
///
/// # Errors
/// `IncompleteBody` for a body that is cut or not of this form; a signature failure for a chunk that was changed.
pub(crate) fn decode(raw: &[u8], signer: Option<&ChunkSigner<'_>>) -> Result<Decoded, AuthFailure> {
    let mut rest = raw;
    let mut body = Vec::new();
    let mut previous = signer.map(|signer| signer.signed.signature.clone()).unwrap_or_default();
    loop {
        let line = take_line(&mut rest)?;
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = usize::from_str_radix(size.trim(), 16)
            .map_err(|_| AuthFailure::Chunked(format!("'{size}' is no chunk size")))?;
        let data = rest
            .get(..size)
            .ok_or_else(|| AuthFailure::Chunked("the body ends inside a chunk".to_owned()))?;
        rest = &rest[size..];
        if let Some(signer) = signer {
            let given = extension.strip_prefix("chunk-signature=").unwrap_or_default();
            previous = signer.check_chunk(&previous, given, data)?;
        }
        if size == 0 {
            break;
        }
        body.extend_from_slice(data);
        rest = rest
            .strip_prefix(b"\r\n")
            .ok_or_else(|| AuthFailure::Chunked("a chunk is longer than it says".to_owned()))?;
    }
    let mut trailers: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let line = take_line(&mut rest)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| AuthFailure::Chunked(format!("'{line}' is no trailer")))?;
        trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    if let Some(signer) = signer
        && signer.trailer
    {
        signer.check_trailer(&previous, &mut trailers)?;
    }
    Ok(Decoded { body, trailers })
}

fn take_line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, AuthFailure> {
    let end = rest
        .iter()
        .take(LINE)
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| AuthFailure::Chunked("the body ends before its last chunk".to_owned()))?;
    let line = &rest[..end];
    *rest = &rest[end + 1..];
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
        .map_err(|_| AuthFailure::Chunked("a chunk's head is no text".to_owned()))
}

// === impl ChunkSigner ===

impl ChunkSigner<'_> {
    fn check_chunk(&self, previous: &str, given: &str, data: &[u8]) -> Result<String, AuthFailure> {
        self.key
            .check_chunk(self.signed, previous, HexDigest::sha256(data).as_str(), given)
    }

    /// Takes `x-amz-trailer-signature` out of the trailers and verifies it over the others.
    fn check_trailer(&self, previous: &str, trailers: &mut Vec<(String, String)>) -> Result<(), AuthFailure> {
        let given = trailers
            .iter()
            .position(|(name, _)| name == "x-amz-trailer-signature")
            .map(|at| trailers.remove(at).1)
            .unwrap_or_default();
        let text: String = trailers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        self.key.check_trailers(self.signed, previous, &text, &given)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::auth::scope::Scope;

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let raw = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        let decoded = decode(raw, None).expect("well formed");
        assert_eq!(decoded.body, b"hello world");
        assert_eq!(
            decoded.trailers,
            [("x-amz-checksum-crc32".to_owned(), "DUoRhQ==".to_owned())]
        );
    }

    /// The example of "Signature calculations for trailing headers" in the S3 API reference: 65 KiB of `a` in two chunks.
    fn example(last: &[u8]) -> (Vec<u8>, Signed) {
        let mut raw = Vec::new();
        for (size, signature) in [
            (
                65536,
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            ),
            (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        ] {
            raw.extend(format!("{size:x};chunk-signature={signature}\r\n").bytes());
            raw.extend(std::iter::repeat_n(b'a', size));
            raw.extend(b"\r\n");
        }
        raw.extend(b"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n");
        raw.extend(last);
        let signed = Signed {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            scope: Scope::of_credential("AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request")
                .expect("it is one")
                .1,
            signed_headers: "host".to_owned(),
            signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e".to_owned(),
            stamp: "20130524T000000Z".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            token: None,
            presigned: None,
        };
        (raw, signed)
    }

    const TRAILER: &str = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:\
                           d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";

    fn decode_example(raw: &[u8], signed: &Signed) -> Result<Decoded, AuthFailure> {
        let key = SigningKey::derive(&"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), &signed.scope);
        decode(
            raw,
            Some(&ChunkSigner {
                key: &key,
                signed,
                trailer: true,
            }),
        )
    }

    #[test]
    fn the_published_example_of_signed_chunks_and_trailer_is_accepted() {
        let (raw, signed) = example(TRAILER.as_bytes());
        let decoded = decode_example(&raw, &signed).expect("the example holds");
        assert_eq!(decoded.body.len(), 66560);
        assert_eq!(
            decoded.trailers,
            [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]
        );
    }

    #[rstest]
    #[case::a_chunk(100)]
    #[case::the_second_chunk(65536 + 200)]
    fn a_changed_byte_in_a_signed_chunk_is_refused(#[case] at: usize) {
        let (mut raw, signed) = example(TRAILER.as_bytes());
        raw[at] = b'b';
        assert!(matches!(
            decode_example(&raw, &signed),
            Err(AuthFailure::Signature { .. })
        ));
    }

    #[rstest]
    #[case::changed(TRAILER.replace("sOO8", "sOO9"))]
    #[case::unsigned("x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n".to_owned())]
    #[case::absent("\r\n".to_owned())]
    fn a_trailer_that_is_not_the_signed_one_is_refused(#[case] trailer: String) {
        let (raw, signed) = example(trailer.as_bytes());
        assert!(matches!(
            decode_example(&raw, &signed),
            Err(AuthFailure::Signature { .. })
        ));
    }

    #[rstest]
    #[case::cut_inside_a_chunk(b"5\r\nhel")]
    #[case::no_last_chunk(b"5\r\nhello\r\n")]
    #[case::longer_than_said(b"4\r\nhello\r\n0\r\n\r\n")]
    #[case::no_size(b"x\r\n\r\n")]
    #[case::overflowing_size(b"ffffffffffffffffff\r\n")]
    #[case::empty(b"")]
    fn a_body_of_another_form_is_refused(#[case] raw: &[u8]) {
        assert!(matches!(decode(raw, None), Err(AuthFailure::Chunked(_))));
    }
}
