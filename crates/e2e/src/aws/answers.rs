//! The replies of [`fake_aws`] as HTTP.

use std::io::{self, Write};

use fake_aws::{Call, Reply};
use ureq::http::StatusCode;

use crate::http::{Request, respond};

impl Request {
    /// The call of AWS that this request makes.
    pub(super) fn call(&self) -> Call {
        let path = self.line.split(' ').nth(1).unwrap_or_default();
        Call::read(self.header("x-amz-target"), path, &self.body)
    }
}

/// Sends a reply. `last` announces that the connection closes after it.
pub(super) fn send(reply: &Reply, connection: &mut impl Write, last: bool) -> io::Result<()> {
    let status = StatusCode::from_u16(reply.status).unwrap().to_string();
    let close = if last { "Connection: close\r\n" } else { "" };
    let headers = headers(reply) + close;
    respond(connection, &status, &headers, body(reply))
}

/// The headers except `Content-Length`.
pub(super) fn headers(reply: &Reply) -> String {
    let content_type = reply.content_type;
    format!("Content-Type: {content_type}\r\nx-amzn-RequestId: 1\r\n")
}

/// The body of a reply that has one.
pub(super) fn body(reply: &Reply) -> &str {
    reply.body.as_deref().unwrap()
}
