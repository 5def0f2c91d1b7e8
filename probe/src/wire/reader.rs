use httparse::{EMPTY_HEADER, ParserConfig, Response, Status};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::{Silence, SilenceKind};

const HEAD_LIMIT: usize = 64 * 1024;
const HEADERS: usize = 128;

/// What has come of an answer so far.
#[derive(Default)]
pub(super) struct Arrived {
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) truncated: bool,
    bytes: usize,
}

/// Reads one answer from a connection.
pub(super) struct Reader<'a> {
    stream: &'a mut TcpStream,
    buffer: Vec<u8>,
    limit: usize,
    to: &'a str,
}

/// How the end of a body is known.
enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClosed,
}

// === impl Arrived ===

impl Arrived {
    /// Whether not a single byte has come.
    pub(super) fn is_nothing(&self) -> bool {
        self.bytes == 0
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(spelled, _)| spelled.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Keeps `bytes` as far as `limit` allows; false if some had to be dropped.
    fn keep(&mut self, bytes: &[u8], limit: usize) -> bool {
        let room = limit.saturating_sub(self.body.len());
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.truncated = bytes.len() > room;
        !self.truncated
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, limit: usize, to: &'a str) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            limit,
            to,
        }
    }

    /// Reads the answer to a request by `method` into `arrived`, and returns whether the connection can be used again.
    pub(super) async fn answer(mut self, method: &str, arrived: &mut Arrived) -> Result<bool, Silence> {
        let kept_open = self.head(arrived).await?;
        let framing = framing(method, arrived);
        let framed = !matches!(framing, Framing::UntilClosed);
        match framing {
            Framing::Empty => {}
            Framing::Length(length) => self.length(length, arrived).await?,
            Framing::Chunked => self.chunks(arrived).await?,
            Framing::UntilClosed => self.rest(arrived).await?,
        }
        Ok(kept_open && framed && !arrived.truncated && self.buffer.is_empty())
    }

    /// Returns whether the head lets the connection stay open.
    async fn head(&mut self, arrived: &mut Arrived) -> Result<bool, Silence> {
        loop {
            let mut headers = [EMPTY_HEADER; HEADERS];
            let mut response = Response::new(&mut headers);
            let mut config = ParserConfig::default();
            config.allow_spaces_after_header_name_in_responses(true);
            config.allow_obsolete_multiline_headers_in_responses(true);
            config.ignore_invalid_headers_in_responses(true);
            match config.parse_response(&mut response, &self.buffer) {
                Ok(Status::Complete(length)) => {
                    let status = response.code.unwrap_or_default();
                    // 100 Continue and its kin announce the answer; they are not it.
                    if (100..200).contains(&status) && status != 101 {
                        self.buffer.drain(..length);
                        continue;
                    }
                    let old = response.version == Some(0);
                    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                    arrived.headers = response
                        .headers
                        .iter()
                        .map(|h| (h.name.to_owned(), text(h.value)))
                        .collect();
                    arrived.status = Some(status);
                    self.buffer.drain(..length);
                    let close = arrived.header("connection").is_some_and(|value| {
                        value
                            .split(',')
                            .any(|option| option.trim().eq_ignore_ascii_case("close"))
                    });
                    return Ok(!old && !close);
                }
                Ok(Status::Partial) if self.buffer.len() > HEAD_LIMIT => {
                    return Err(self.unreadable("the answer's head is longer than 64 KiB"));
                }
                Ok(Status::Partial) => {}
                Err(err) => return Err(self.unreadable(&format!("what answered is not HTTP/1.1 ({err})"))),
            }
            if self.more(arrived).await? == 0 {
                return Err(self.closed("before an answer came"));
            }
        }
    }

    async fn length(&mut self, length: u64, arrived: &mut Arrived) -> Result<(), Silence> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() && self.more(arrived).await? == 0 {
                return Err(self.closed(&format!("{left} bytes before the end of a body of {length}")));
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let kept = arrived.keep(&self.buffer[..take], self.limit);
            self.buffer.drain(..take);
            left -= take as u64;
            if !kept {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn chunks(&mut self, arrived: &mut Arrived) -> Result<(), Silence> {
        loop {
            let size = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(Status::Complete((length, size))) => {
                        self.buffer.drain(..length);
                        break size;
                    }
                    Ok(Status::Partial) if self.buffer.len() > HEAD_LIMIT => {
                        return Err(self.unreadable("a chunk's size is longer than 64 KiB"));
                    }
                    Ok(Status::Partial) => {}
                    Err(_) => return Err(self.unreadable("the answer's chunks are malformed")),
                }
                if self.more(arrived).await? == 0 {
                    return Err(self.closed("before the last chunk"));
                }
            };
            if size == 0 {
                return self.trailers(arrived).await;
            }
            self.length(size, arrived).await?;
            if arrived.truncated {
                return Ok(());
            }
            while self.buffer.len() < 2 {
                if self.more(arrived).await? == 0 {
                    return Err(self.closed("before the last chunk"));
                }
            }
            if !self.buffer.starts_with(b"\r\n") {
                return Err(self.unreadable("the answer's chunks are malformed"));
            }
            self.buffer.drain(..2);
        }
    }

    /// Reads past the trailers' empty line. Every byte of the body is there, so a connection closed here loses nothing.
    async fn trailers(&mut self, arrived: &mut Arrived) -> Result<(), Silence> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                self.buffer.drain(..end + 2);
                if end == 0 {
                    return Ok(());
                }
            } else if self.buffer.len() > HEAD_LIMIT || self.more(arrived).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn rest(&mut self, arrived: &mut Arrived) -> Result<(), Silence> {
        loop {
            let buffered = std::mem::take(&mut self.buffer);
            if !arrived.keep(&buffered, self.limit) || self.more(arrived).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Reads some more; 0 at the end.
    async fn more(&mut self, arrived: &mut Arrived) -> Result<usize, Silence> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        let read = read.map_err(|err| Silence::of_io(&err, &format!("reading from {}", self.to)))?;
        arrived.bytes += read;
        Ok(read)
    }

    fn closed(&self, when: &str) -> Silence {
        Silence::new(SilenceKind::Closed, format!("{} closed the connection {when}", self.to))
    }

    fn unreadable(&self, what: &str) -> Silence {
        Silence::new(SilenceKind::Unreadable, format!("{}: {what}", self.to))
    }
}

/// RFC 9112, section 6.3; a length that is no number is taken as none.
fn framing(method: &str, arrived: &Arrived) -> Framing {
    let status = arrived.status.unwrap_or_default();
    if method.eq_ignore_ascii_case("HEAD") || matches!(status, 204 | 304) {
        return Framing::Empty;
    }
    if let Some(coding) = arrived.header("transfer-encoding") {
        let last = coding.rsplit(',').next().unwrap_or_default().trim();
        return if last.eq_ignore_ascii_case("chunked") {
            Framing::Chunked
        } else {
            Framing::UntilClosed
        };
    }
    let length = arrived
        .header("content-length")
        .and_then(|length| length.trim().parse().ok());
    length.map_or(Framing::UntilClosed, Framing::Length)
}
