use sha2::{Digest, Sha256};

use super::{
    AuthFailure,
    presented::Signed,
    signature::{EMPTY, SigningKey},
};

/// Longest line that starts a chunk or is a trailer.
const LINE: usize = 4096;
/// Trailers that are looked at.
const TRAILERS: usize = 32;

/// Verifies an `aws-chunked` body while it passes, part by part, and keeps nothing of it: the same rules as
/// [`decode`](super::chunked::decode) has for a body that is here whole.
pub(crate) struct ChunkStream {
    /// None where the chunks are not signed.
    signer: Option<Signer>,
    at: At,
    /// The line that is being read.
    line: Vec<u8>,
    /// Bytes of the chunks so far.
    decoded: u64,
    /// `x-amz-decoded-content-length`
    expected: Option<u64>,
    trailers: Vec<String>,
}

struct Signer {
    key: SigningKey,
    signed: Signed,
    /// Whether the trailer is signed too.
    trailer: bool,
    /// The signature of the chunk before, of the request itself at first.
    previous: String,
}

/// What comes next.
enum At {
    Head,
    Data {
        left: u64,
        hash: Sha256,
        signature: String,
    },
    /// The line's end behind a chunk, of which so many bytes have come.
    DataEnd(usize),
    Trailer,
    End,
}

// === impl ChunkStream ===

impl ChunkStream {
    /// `mode` is the value of `x-amz-content-sha256`; none if that is no body in chunks.
    pub(crate) fn new(mode: &str, key: SigningKey, signed: &Signed, expected: Option<&str>) -> Option<Self> {
        let signer = |trailer| Signer {
            key,
            signed: signed.clone(),
            trailer,
            previous: signed.signature.clone(),
        };
        let signer = match mode {
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => None,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(signer(false)),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(signer(true)),
            _ => return None,
        };
        Some(Self {
            signer,
            at: At::Head,
            line: Vec::new(),
            decoded: 0,
            expected: expected.and_then(|text| text.parse().ok()),
            trailers: Vec::new(),
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// They have another form, or a chunk that ends in them is not the one that was signed.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<(), AuthFailure> {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Data { left, hash, signature } => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (data, rest) = bytes.split_at(length);
                    hash.update(data);
                    *left -= length as u64;
                    self.decoded += length as u64;
                    bytes = rest;
                    if *left == 0 {
                        let hash = hex::encode(std::mem::take(hash).finalize());
                        let signature = std::mem::take(signature);
                        self.check_chunk(&hash, &signature)?;
                        self.at = At::DataEnd(0);
                    }
                }
                At::DataEnd(seen) => {
                    if bytes[0] != b"\r\n"[*seen] {
                        return Err(AuthFailure::Chunked("a chunk is longer than it says".to_owned()));
                    }
                    bytes = &bytes[1..];
                    self.at = if *seen == 0 { At::DataEnd(1) } else { At::Head };
                }
                At::Head | At::Trailer => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let part = end.map_or(bytes, |end| &bytes[..end]);
                    if self.line.len() + part.len() > LINE {
                        return Err(AuthFailure::Chunked("a line is longer than any is".to_owned()));
                    }
                    self.line.extend_from_slice(part);
                    let Some(end) = end else { return Ok(()) };
                    bytes = &bytes[end + 1..];
                    self.take_line()?;
                }
                At::End => return Err(AuthFailure::Chunked("there is more behind the last chunk".to_owned())),
            }
        }
        Ok(())
    }

    /// Says that no more will come.
    ///
    /// # Errors
    /// It is cut, has another length than was said, or its trailer is not the one that was signed.
    pub(crate) fn end(&self) -> Result<(), AuthFailure> {
        match self.at {
            At::End => {}
            At::Trailer if self.line.is_empty() => {}
            _ => return Err(AuthFailure::Chunked("the body ends before its last chunk".to_owned())),
        }
        if self.expected != Some(self.decoded) {
            return Err(AuthFailure::Chunked(format!(
                "x-amz-decoded-content-length must be {}, the length of the chunks",
                self.decoded
            )));
        }
        match &self.signer {
            Some(signer) if signer.trailer => signer.check_trailer(&self.trailers),
            _ => Ok(()),
        }
    }

    fn take_line(&mut self) -> Result<(), AuthFailure> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let line =
            std::str::from_utf8(line).map_err(|_| AuthFailure::Chunked("a chunk's head is no text".to_owned()))?;
        if matches!(self.at, At::Trailer) {
            if line.is_empty() {
                self.at = At::End;
            } else if self.trailers.len() < TRAILERS && line.contains(':') {
                self.trailers.push(line.to_owned());
            } else {
                return Err(AuthFailure::Chunked(format!("'{line}' is no trailer")));
            }
            return Ok(());
        }
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let left = u64::from_str_radix(size.trim(), 16)
            .map_err(|_| AuthFailure::Chunked(format!("'{size}' is no chunk size")))?;
        let signature = extension
            .strip_prefix("chunk-signature=")
            .unwrap_or_default()
            .to_owned();
        if left == 0 {
            self.check_chunk(EMPTY, &signature)?;
            self.at = At::Trailer;
        } else {
            let hash = Sha256::new();
            self.at = At::Data { left, hash, signature };
        }
        Ok(())
    }

    fn check_chunk(&mut self, hash: &str, given: &str) -> Result<(), AuthFailure> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        signer.key.check_chunk(&signer.signed, &signer.previous, hash, given)?;
        given.clone_into(&mut signer.previous);
        Ok(())
    }
}

impl std::fmt::Debug for ChunkStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkStream")
            .field("decoded", &self.decoded)
            .finish_non_exhaustive()
    }
}

// === impl Signer ===

impl Signer {
    fn check_trailer(&self, lines: &[String]) -> Result<(), AuthFailure> {
        let mut text = String::new();
        let mut given = "";
        for line in lines {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name == "x-amz-trailer-signature" {
                given = value;
            } else {
                text.push_str(&format!("{name}:{value}\n"));
            }
        }
        self.key.check_trailers(&self.signed, &self.previous, &text, given)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::auth::scope::Scope;

    const TRAILER: &str = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:\
                           d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";

    /// The example of "Signature calculations for trailing headers" in the S3 API reference: 65 KiB of `a` in two chunks.
    fn example(trailer: &str) -> (Vec<u8>, Signed) {
        let mut raw = Vec::new();
        let chunks = [
            (
                65536,
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            ),
            (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        ];
        for (size, signature) in chunks {
            raw.extend(format!("{size:x};chunk-signature={signature}\r\n").bytes());
            raw.extend(std::iter::repeat_n(b'a', size));
            raw.extend(b"\r\n");
        }
        raw.extend(b"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n");
        raw.extend(trailer.bytes());
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

    fn pass(raw: &[u8], mode: &str, signed: &Signed, length: &str, by: usize) -> Result<(), AuthFailure> {
        let key = SigningKey::derive(&"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), &signed.scope);
        let mut stream = ChunkStream::new(mode, key, signed, Some(length)).expect("a body in chunks");
        for part in raw.chunks(by) {
            stream.take(part)?;
        }
        stream.end()
    }

    const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    const UNSIGNED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

    #[rstest]
    #[case::byte_by_byte(1)]
    #[case::in_parts(1000)]
    #[case::at_once(1 << 20)]
    fn the_published_example_passes_however_it_is_cut(#[case] by: usize) {
        let (raw, signed) = example(TRAILER);
        assert_eq!(pass(&raw, SIGNED, &signed, "66560", by), Ok(()));
    }

    #[rstest]
    #[case::a_chunk(100)]
    #[case::the_second_chunk(65536 + 200)]
    fn a_changed_byte_in_a_signed_chunk_is_refused(#[case] at: usize) {
        let (mut raw, signed) = example(TRAILER);
        raw[at] = b'b';
        let refused = pass(&raw, SIGNED, &signed, "66560", 777);
        assert!(matches!(refused, Err(AuthFailure::Signature { .. })), "{refused:?}");
    }

    #[rstest]
    #[case::changed(TRAILER.replace("sOO8", "sOO9"))]
    #[case::unsigned("x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n".to_owned())]
    #[case::absent("\r\n".to_owned())]
    fn a_trailer_that_is_not_the_signed_one_is_refused(#[case] trailer: String) {
        let (raw, signed) = example(&trailer);
        let refused = pass(&raw, SIGNED, &signed, "66560", 777);
        assert!(matches!(refused, Err(AuthFailure::Signature { .. })), "{refused:?}");
    }

    #[rstest]
    #[case::good(b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5", true)]
    #[case::another_length(b"5\r\nhello\r\n0\r\n\r\n", "6", false)]
    #[case::cut_inside_a_chunk(b"5\r\nhel", "5", false)]
    #[case::no_last_chunk(b"5\r\nhello\r\n", "5", false)]
    #[case::longer_than_said(b"4\r\nhello\r\n0\r\n\r\n", "4", false)]
    #[case::more_behind(b"0\r\n\r\nx", "0", false)]
    #[case::no_size(b"x\r\n\r\n", "0", false)]
    #[case::overflowing_size(b"ffffffffffffffffff\r\n", "0", false)]
    #[case::no_trailer(b"0\r\nabc\r\n\r\n", "0", false)]
    #[case::empty(b"", "0", false)]
    fn a_body_of_another_form_is_refused(#[case] raw: &[u8], #[case] length: &str, #[case] good: bool) {
        let (_, signed) = example("");
        for by in [1, 1000] {
            let passed = pass(raw, UNSIGNED, &signed, length, by);
            assert_eq!(passed.is_ok(), good, "{passed:?}");
        }
    }
}
