//! What can be wrong with what is behind us.

use std::io::{self, Write};
use std::time::Duration;

use fake_aws::{Call, Reply};

use super::answers::{body, headers, send};

/// Something that AWS does wrong, or the network on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens.
    Refused,
    /// Nobody answers who connects.
    Unanswered,
    /// The TLS handshake does not go on.
    HandshakeStalls,
    /// The certificate is a trusted authority's, for another name.
    WrongName,
    /// The certificate is for the right name, of an authority that nobody trusts.
    UntrustedAuthority,
    /// The connection is reset before the request is read.
    ResetUnread,
    /// The connection is reset after the request was read.
    ResetRead,
    /// The connection is closed after the request was read.
    ClosedRead,
    /// No answer comes.
    Silent,
    /// No answer comes on connections from before, as after a router forgot them.
    Forgotten,
    /// The answer comes a byte a second.
    ByteASecond,
    /// Nothing comes after the answer's headers.
    HeadersOnly,
    /// An internal error.
    Failure,
    /// A load balancer's page: no service.
    OutOfService,
    /// Too many requests.
    Throttled,
    /// A status that says the request was bad, and an exception of tomorrow.
    UnknownException,
    /// A status that says the service failed, and an exception of tomorrow.
    UnknownFailure,
    /// The body breaks off, though it is as long as it is said to be.
    BrokenOff,
    /// The connection is closed within the body.
    CutShort,
    /// A page in place of the answer.
    Html,
    /// A redirection.
    Redirect,
    /// A success without a body.
    Empty,
    /// A success with another content type.
    WrongContentType,
    /// Something that is not HTTP.
    NotHttp,
    /// A body that does not end.
    Gigantic,
    /// Headers that do not end.
    EndlessHeaders,
    /// This exception.
    Exception(&'static str),
}

/// What a fault is a matter of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whether there is a connection at all.
    Door,
    /// A connection, whatever is asked over it.
    Connection,
    /// The answer to a request.
    Answer,
}

/// The most that is sent of what does not end: a function without a limit would have it in memory.
const ENDLESS: usize = 64 << 20;

impl Fault {
    /// What it is a matter of.
    pub fn scope(self) -> Scope {
        match self {
            Self::Refused | Self::Unanswered => Scope::Door,
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

    /// Answers a call wrongly in place of the good answer; tells whether the connection goes on after it.
    pub(super) fn play(
        self,
        call: &Call,
        good: &Reply,
        connection: &mut impl Write,
    ) -> io::Result<bool> {
        let exception = |status, name, message| Reply::exception(call, status, name, message);
        let tomorrow = |status| exception(status, "ExceptionOfTomorrow", "of +34999999999");
        let instead = |text: &str| Reply {
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
            Self::UnknownException => tomorrow(400),
            Self::UnknownFailure => tomorrow(500),
            Self::BrokenOff => instead(half(good)),
            Self::Html => page(200),
            Self::Redirect => Reply {
                content_type: "text/html\r\nLocation: https://example.com/",
                ..page(302)
            },
            Self::Empty => instead(""),
            Self::WrongContentType => Reply {
                content_type: "text/plain",
                ..good.clone()
            },
            _ => return self.spoil(good, connection).map(|()| false),
        };
        send(&reply, connection, false).map(|()| true)
    }

    /// What ends the connection.
    fn spoil(self, good: &Reply, connection: &mut impl Write) -> io::Result<()> {
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
            // The connection's end is all there is.
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
