//! What can be wrong with what is behind us.

use std::io::{self, Write};
use std::time::Duration;

use super::Reply;

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
    /// An answer with this status line's end and this body.
    Answer(&'static str, &'static str),
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

    /// Answers wrongly in place of the good answer; tells whether the connection goes on after it.
    pub(super) fn play(self, good: &Reply, connection: &mut impl Write) -> io::Result<bool> {
        let reply = match self {
            Self::Failure => good.exception(
                "500 Internal Server Error",
                "InternalErrorException",
                "Internal server error",
            ),
            Self::OutOfService => page("503 Service Unavailable"),
            Self::Throttled => good.exception(
                "400 Bad Request",
                "TooManyRequestsException",
                "Rate exceeded",
            ),
            Self::Exception(name) => good.exception("400 Bad Request", name, "No."),
            Self::UnknownException => {
                good.exception("400 Bad Request", "ExceptionOfTomorrow", "of +34999999999")
            }
            Self::UnknownFailure => good.exception(
                "500 Internal Server Error",
                "ExceptionOfTomorrow",
                "of +34999999999",
            ),
            Self::BrokenOff => Reply {
                body: good.body[..good.body.len() / 2].to_owned(),
                ..good.clone()
            },
            Self::Html => page("200 OK"),
            Self::Redirect => page("302 Found\r\nLocation: https://example.com/"),
            Self::Empty => Reply {
                body: String::new(),
                ..good.clone()
            },
            Self::WrongContentType => Reply {
                content_type: "text/plain",
                ..good.clone()
            },
            Self::Answer(status, body) => Reply {
                status,
                body: body.to_owned(),
                ..good.clone()
            },
            _ => return self.spoil(good, connection).map(|()| false),
        };
        reply.send(connection, false).map(|()| true)
    }

    /// What ends the connection.
    fn spoil(self, good: &Reply, connection: &mut impl Write) -> io::Result<()> {
        let head = |length: usize| {
            let headers = good.headers("");
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{headers}\r\n")
        };
        match self {
            Self::ByteASecond => slowly(
                &format!("{}{}", head(good.body.len()), good.body),
                connection,
            ),
            Self::HeadersOnly => {
                connection.write_all(head(good.body.len()).as_bytes())?;
                connection.flush()
            }
            Self::CutShort => {
                let half = &good.body[..good.body.len() / 2];
                connection.write_all(format!("{}{half}", head(good.body.len())).as_bytes())?;
                connection.flush()
            }
            Self::NotHttp => {
                connection.write_all(b"SSH-2.0-OpenSSH_9.9\r\n")?;
                connection.flush()
            }
            Self::Gigantic => {
                connection.write_all(head(usize::MAX / 2).as_bytes())?;
                connection.write_all(b"{\"Session\":\"")?;
                endlessly(&[b'x'; 1 << 14], connection)
            }
            Self::EndlessHeaders => {
                connection.write_all(b"HTTP/1.1 200 OK\r\n")?;
                endlessly(b"X-Header: value\r\n", connection)
            }
            // The connection's end is all there is.
            _ => Ok(()),
        }
    }
}

fn page(status: &'static str) -> Reply {
    Reply {
        status,
        content_type: "text/html",
        body: "<html><body>Welcome</body></html>".to_owned(),
    }
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
