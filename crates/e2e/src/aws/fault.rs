//! Faults of AWS and of the network.

use std::io::{self, Write};
use std::time::Duration;

use fake_aws::{Call, Reply};

use super::answers::{body, headers, send};

/// A fault of AWS, or of the network on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused.
    Refused,
    /// Connection attempts get no answer.
    Unanswered,
    /// The TLS handshake stalls.
    HandshakeStalls,
    /// A trusted authority issued the certificate for another name.
    WrongName,
    /// An untrusted authority issued the certificate.
    UntrustedAuthority,
    /// The connection is reset before the request is read.
    ResetUnread,
    /// The connection is reset after the request was read.
    ResetRead,
    /// The connection is closed after the request was read.
    ClosedRead,
    /// No answer comes.
    Silent,
    /// Existing connections get no answer, as if a router had dropped them.
    Forgotten,
    /// The answer arrives at one byte per second.
    ByteASecond,
    /// The answer stops after its headers.
    HeadersOnly,
    /// An internal error.
    Failure,
    /// A load balancer's HTML page with status 503.
    OutOfService,
    /// Too many requests.
    Throttled,
    /// Status 400 with an exception that the functions do not know.
    UnknownException,
    /// Status 500 with an exception that the functions do not know.
    UnknownFailure,
    /// The JSON is truncated; the body has the announced length.
    BrokenOff,
    /// The connection closes before the end of the body.
    CutShort,
    /// An HTML page instead of the answer.
    Html,
    /// A redirection.
    Redirect,
    /// A success without a body.
    Empty,
    /// A success with a wrong content type.
    WrongContentType,
    /// Bytes that are not HTTP.
    NotHttp,
    /// A body without end.
    Gigantic,
    /// Headers without end.
    EndlessHeaders,
    /// This exception.
    Exception(&'static str),
}

/// What a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Opening a connection.
    Listener,
    /// A connection and every request over it.
    Connection,
    /// The answer to a request.
    Answer,
}

/// The bytes sent of an answer without end. A function without a limit would hold them in memory.
const ENDLESS: usize = 64 << 20;

impl Fault {
    /// What it affects.
    pub fn scope(self) -> Scope {
        match self {
            Self::Refused | Self::Unanswered => Scope::Listener,
            Self::HandshakeStalls
            | Self::WrongName
            | Self::UntrustedAuthority
            | Self::ResetUnread => Scope::Connection,
            _ => Scope::Answer,
        }
    }

    pub(super) fn is_silent(self) -> bool {
        matches!(self, Self::Silent | Self::Forgotten | Self::HeadersOnly)
    }

    /// Answers a call with this fault instead of the good reply. Returns whether the connection stays open.
    pub(super) fn answer(
        self,
        call: &Call,
        good: &Reply,
        connection: &mut impl Write,
    ) -> io::Result<bool> {
        let exception = |status, name, message| Reply::exception(call, status, name, message);
        let unknown = |status| exception(status, "ExceptionOfTomorrow", "of +34999999999");
        let with_body = |text: &str| Reply {
            body: Some(text.to_owned()),
            ..good.clone()
        };
        let page = |status| Reply {
            content_type: "text/html",
            ..Reply::text(status, "<html><body>Welcome</body></html>")
        };
        let reply = match self {
            Self::Failure => exception(500, "InternalErrorException", "Internal server error"),
            Self::OutOfService => page(503),
            Self::Throttled => exception(400, "TooManyRequestsException", "Rate exceeded"),
            Self::Exception(name) => exception(400, name, "No."),
            Self::UnknownException => unknown(400),
            Self::UnknownFailure => unknown(500),
            Self::BrokenOff => with_body(half(good)),
            Self::Html => page(200),
            Self::Redirect => Reply {
                content_type: "text/html\r\nLocation: https://example.com/",
                ..page(302)
            },
            Self::Empty => with_body(""),
            Self::WrongContentType => Reply {
                content_type: "text/plain",
                ..good.clone()
            },
            _ => return self.send_last(good, connection).map(|()| false),
        };
        send(&reply, connection, false).map(|()| true)
    }

    /// Sends a broken answer, after which the connection closes.
    fn send_last(self, good: &Reply, connection: &mut impl Write) -> io::Result<()> {
        let head = |length: usize| {
            let headers = headers(good);
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{headers}\r\n")
        };
        let whole = head(body(good).len());
        let start = match self {
            Self::ByteASecond => return slowly(&(whole + body(good)), connection),
            Self::HeadersOnly => whole,
            Self::CutShort => whole + half(good),
            Self::NotHttp => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
            Self::Gigantic => head(usize::MAX / 2) + "{\"Session\":\"",
            Self::EndlessHeaders => "HTTP/1.1 200 OK\r\n".to_owned(),
            // Nothing is sent.
            _ => return Ok(()),
        };
        connection.write_all(start.as_bytes())?;
        match self {
            Self::Gigantic => endlessly(&[b'x'; 1 << 14], connection),
            Self::EndlessHeaders => endlessly(b"X-Header: value\r\n", connection),
            _ => connection.flush(),
        }
    }
}

fn half(good: &Reply) -> &str {
    let body = body(good);
    &body[..body.len() / 2]
}

fn slowly(text: &str, connection: &mut impl Write) -> io::Result<()> {
    for byte in text.bytes() {
        connection.write_all(&[byte])?;
        connection.flush()?;
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

fn endlessly(piece: &[u8], connection: &mut impl Write) -> io::Result<()> {
    for _ in 0..ENDLESS / piece.len() {
        connection.write_all(piece)?;
    }
    Ok(())
}
