//! What AWS answers when all is well.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::http::{Request, respond};

/// A good answer, or one in its form.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status line's end.
    pub status: &'static str,
    /// The header of this name.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

const XML: &str = "text/xml";
const JSON: &str = "application/x-amz-json-1.1";

impl Request {
    /// The operation it asks for, such as `SignUp`.
    pub(super) fn operation(&self) -> &str {
        match self.header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default(),
            None if self.body.starts_with("Action=Publish&") => "Publish",
            None => "",
        }
    }
}

impl Reply {
    /// The answer to this request.
    pub fn to(request: &Request) -> Self {
        let operation = request.operation();
        let body = match operation {
            "InitiateAuth" if request.body.contains("\"CUSTOM_AUTH\"") => json!({
                "ChallengeName": "CUSTOM_CHALLENGE",
                "ChallengeParameters": {},
                "Session": token("session", 900),
            }),
            "InitiateAuth" | "RespondToAuthChallenge" | "GetTokensFromRefreshToken" => json!({
                "ChallengeParameters": {},
                "AuthenticationResult": {
                    "AccessToken": token("access", 1050),
                    "IdToken": token("id", 1100),
                    "RefreshToken": token("refresh", 1800),
                    "ExpiresIn": 3600,
                    "TokenType": "Bearer",
                },
            }),
            "SignUp" => json!({
                // Couriers need no confirmation.
                "UserConfirmed": request.body.contains("\"Courier\""),
                "UserSub": "75d55ff4-3c1d-4c52-9a5e-5f0c3c0a3b0d",
            }),
            "ResendConfirmationCode" | "ForgotPassword" => json!({
                "CodeDeliveryDetails": {
                    "AttributeName": "email",
                    "DeliveryMedium": "EMAIL",
                    "Destination": "u***@e***",
                },
            }),
            "ConfirmSignUp"
            | "ConfirmForgotPassword"
            | "GlobalSignOut"
            | "AdminAddUserToGroup"
            | "GetItem"
            | "UpdateItem" => json!({}),
            "Publish" => {
                let id = "<MessageId>75d55ff4-3c1d-4c52-9a5e-5f0c3c0a3b0d</MessageId>";
                return Self {
                    status: "200 OK",
                    content_type: XML,
                    body: format!(
                        "<PublishResponse><PublishResult>{id}</PublishResult></PublishResponse>"
                    ),
                };
            }
            _ => panic!("an operation that nobody is expected to call: {operation}"),
        };
        Self::json("200 OK", &body)
    }

    fn json(status: &'static str, body: &Value) -> Self {
        Self {
            status,
            content_type: JSON,
            body: body.to_string(),
        }
    }

    /// The exception of this name, in the protocol of this answer.
    pub fn exception(&self, status: &'static str, name: &str, message: &str) -> Self {
        match self.content_type {
            XML => Self {
                status,
                content_type: XML,
                body: format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{name}</Code><Message>{message}</Message></Error>\
                     <RequestId>1</RequestId></ErrorResponse>"
                ),
            },
            _ => Self::json(status, &json!({ "__type": name, "message": message })),
        }
    }

    /// Sends it; `last` where nothing follows on the connection.
    pub(super) fn send(&self, connection: &mut impl Write, last: bool) -> io::Result<()> {
        let close = if last { "Connection: close\r\n" } else { "" };
        respond(connection, self.status, &self.headers(close), &self.body)
    }

    /// Its headers but for the body's length, with more of them.
    pub(super) fn headers(&self, more: &str) -> String {
        let content_type = self.content_type;
        format!("Content-Type: {content_type}\r\nx-amzn-RequestId: 1\r\n{more}")
    }
}

/// What is as long as Cognito's own of this kind.
fn token(kind: &str, length: usize) -> String {
    format!("{kind:-<length$}")
}
