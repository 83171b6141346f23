//! A minimal HTTP/1.1 server.

use std::fmt;
use std::io::{self, BufRead, Write};

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Method, path and version.
    pub line: String,
    /// The body.
    pub body: String,
    headers: Vec<String>,
}

impl Request {
    /// Reads the next request of a connection; `None` if it was closed.
    pub fn read(connection: &mut impl BufRead) -> Option<Self> {
        let mut lines = connection.by_ref().lines().map_while(Result::ok);
        let line = lines.next()?;
        let headers = lines.take_while(|line| !line.is_empty()).collect();
        let mut request = Self {
            line,
            body: String::new(),
            headers,
        };
        let mut body = Vec::new();
        if let Some(length) = request.header("content-length") {
            body.resize(length.parse().unwrap(), 0);
            connection.read_exact(&mut body).ok()?;
        } else if request.header("transfer-encoding").is_some() {
            loop {
                let mut size = String::new();
                connection.read_line(&mut size).ok()?;
                let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap()];
                connection.read_exact(&mut chunk).ok()?;
                connection.read_line(&mut size).ok()?;
                if chunk.is_empty() {
                    break;
                }
                body.extend(chunk);
            }
        }
        request.body = String::from_utf8(body).unwrap();
        Some(request)
    }

    /// The value of a header; the name is case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The bytes of the request, if its body was not chunked.
impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, headers) = (&self.line, self.headers.join("\r\n"));
        write!(formatter, "{line}\r\n{headers}\r\n\r\n{}", self.body)
    }
}

/// Answers a request. `headers` are complete lines with their ends, without `Content-Length`.
///
/// # Errors
/// If the connection was closed.
pub fn respond(
    connection: &mut impl Write,
    status: &str,
    headers: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    // One write: a second one would wait until the client acknowledges the first.
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    connection.write_all(answer.as_bytes())?;
    connection.flush()
}
