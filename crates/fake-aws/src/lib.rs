//! An AWS for the tests: Cognito, DynamoDB with an empty table, and SNS, from the HTTP request to the HTTP response,
//! so that the SDK's own serializers and parsers run.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets one of them fails"
)]

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// An environment in which every function starts.
pub const ENVIRONMENT: [(&str, &str); 31] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    ("AWS_SESSION_TOKEN", "session"),
    ("LOG_LEVEL", "INFO"),
    ("METRICS_NAMESPACE", "AuthRocket/example"),
    ("MODE", "UserPassword"),
    ("ALLOWED_ORIGIN", "*"),
    ("USER_POOL_ID", "us-east-1_example"),
    ("USER_POOL_CLIENT_ID", "client"),
    ("ROLES", "User"),
    ("EMAIL_SIGN_UP_ROLES", "User"),
    ("PHONE_SIGN_UP_ROLES", "User"),
    ("OTP_TABLE_NAME", "one-time-codes"),
    ("OTP_COOLDOWN_SECONDS", "30"),
    ("OTP_MAX_SENDS_PER_HOUR", "5"),
    ("OTP_MAX_SENDS_PER_DAY", "20"),
    ("SMS_MESSAGE", "Your sign-in code is {####}."),
    ("ALLOWED_PHONE_PREFIXES", "+34"),
    ("EMAIL_FROM", "no-reply@example.com"),
    ("EMAIL_CODE_SUBJECT", "Your sign-in code"),
    ("EMAIL_CODE_MESSAGE", "Your sign-in code is {####}."),
    ("SES_REGION", "us-east-1"),
    ("RESET_EMAIL_SUBJECT", "Your new password"),
    ("RESET_EMAIL_MESSAGE", "Your code is {####}."),
    ("CONTACT_CHANGES", "REFUSED"),
    // The tokens of examples have an old sign-in.
    ("REAUTHENTICATION_MINUTES", "0"),
];

/// What [`ENVIRONMENT`] has of this name, after these changes. An empty text takes a variable out.
pub fn variable(changes: &[(&str, &str)], name: &str) -> Option<String> {
    let mut variables = changes.iter().rev().chain(&ENVIRONMENT);
    let (_, value) = variables.find(|(key, _)| *key == name)?;
    Some((*value).to_owned())
}

/// The credentials of [`ENVIRONMENT`].
pub fn credentials() -> SharedCredentialsProvider {
    let value = |name| variable(&[], name).unwrap();
    SharedCredentialsProvider::new(Credentials::new(
        value("AWS_ACCESS_KEY_ID"),
        value("AWS_SECRET_ACCESS_KEY"),
        Some(value("AWS_SESSION_TOKEN")),
        None,
        "fake-aws",
    ))
}

/// A request of an AWS operation.
#[derive(Clone, Debug)]
pub struct Call {
    /// Such as `SignUp`.
    pub operation: String,
    /// The body. The fields of a form are those of an object.
    pub body: Value,
    /// Where it was sent.
    pub uri: String,
    /// Whether it was signed.
    pub signed: bool,
}

impl Call {
    /// Reads a request by its `x-amz-target` or its path, if one of them names the operation, and its body.
    pub fn read(target: Option<&str>, path: &str, body: &str) -> Self {
        let target = match path == "/v2/email/outbound-emails" {
            true => Some("SendEmail"),
            false => target,
        };
        let (operation, body) = match target {
            Some(target) => (
                target.rsplit('.').next().unwrap_or_default().to_owned(),
                serde_json::from_str(body).unwrap_or_default(),
            ),
            None => {
                let fields = form_urlencoded::parse(body.as_bytes()).into_owned();
                let fields: Map<_, _> = fields.map(|(key, value)| (key, value.into())).collect();
                let action = fields.get("Action").and_then(Value::as_str);
                (action.unwrap_or_default().to_owned(), fields.into())
            }
        };
        Self {
            operation,
            body,
            uri: String::new(),
            signed: false,
        }
    }
}

/// A response of AWS.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header of this name.
    pub content_type: &'static str,
    /// The body; `None` breaks off before it.
    pub body: Option<String>,
}

const XML: &str = "text/xml";
const JSON: &str = "application/x-amz-json-1.1";

impl Reply {
    /// A response with this status and JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string())
    }

    /// A response with this status and body, which may not be JSON.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: JSON,
            body: Some(body.into()),
        }
    }

    /// A response that breaks off: AWS has read the request, and nobody knows what it did.
    pub fn lost() -> Self {
        Self {
            status: 200,
            content_type: JSON,
            body: None,
        }
    }

    /// An exception of the operation, in its protocol.
    pub fn exception(call: &Call, status: u16, name: &str, message: &str) -> Self {
        match call.operation == "Publish" {
            true => Self {
                status,
                content_type: XML,
                body: Some(format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{name}</Code><Message>{message}</Message></Error>\
                     <RequestId>1</RequestId></ErrorResponse>"
                )),
            },
            false => Self::json(status, &json!({ "__type": name, "message": message })),
        }
    }

    /// What AWS answers if all is well. Users with the role `Courier` need no confirmation.
    pub fn success(call: &Call) -> Self {
        let body = match &*call.operation {
            "InitiateAuth" if call.body["AuthFlow"] == "CUSTOM_AUTH" => json!({
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
                "UserConfirmed": call.body["UserAttributes"]
                    .as_array()
                    .is_some_and(|attributes| attributes.iter().any(|attribute| attribute["Value"] == "Courier")),
                "UserSub": SUB,
            }),
            "ResendConfirmationCode" | "ForgotPassword" => json!({
                "CodeDeliveryDetails": {
                    "AttributeName": "email",
                    "DeliveryMedium": "EMAIL",
                    "Destination": "u***@e***",
                },
            }),
            "GetUser" => {
                let phone = claims(&call.body["AccessToken"])["phone_number"].take();
                let phone = phone.as_str().unwrap_or("+34999999999");
                json!({
                    "Username": SUB,
                    "UserAttributes": [
                        { "Name": "sub", "Value": SUB },
                        { "Name": "email", "Value": "user@example.com" },
                        { "Name": "email_verified", "Value": "true" },
                        { "Name": "phone_number", "Value": phone },
                        { "Name": "phone_number_verified", "Value": "true" },
                        { "Name": "custom:role", "Value": "User" },
                    ],
                })
            }
            "ConfirmSignUp"
            | "ConfirmForgotPassword"
            | "GlobalSignOut"
            | "RevokeToken"
            | "ChangePassword"
            | "DeleteUser"
            | "AdminAddUserToGroup"
            | "AdminUserGlobalSignOut"
            | "GetItem" => json!({}),
            // A wrong answer to a code, which leaves two more.
            "UpdateItem" if call.body["ReturnValues"] == "UPDATED_NEW" => {
                let code = call.body["ExpressionAttributeNames"]["#code"].as_str();
                let left = json!({ code.unwrap(): { "N": "2" } });
                json!({ "Attributes": { "answersLeft": { "M": left } } })
            }
            "UpdateItem" => json!({}),
            "SendEmail" => json!({ "MessageId": SUB }),
            "Publish" => {
                return Self {
                    status: 200,
                    content_type: XML,
                    body: Some(format!(
                        "<PublishResponse><PublishResult><MessageId>{SUB}</MessageId></PublishResult></PublishResponse>"
                    )),
                };
            }
            other => panic!(
                "{other} is an operation that no function calls: see fake_aws::Reply::success"
            ),
        };
        Self::json(200, &body)
    }
}

/// The `sub` of every new user.
pub const SUB: &str = "75d55ff4-3c1d-4c52-9a5e-5f0c3c0a3b0d";

/// An access token of the pool and the client of [`ENVIRONMENT`] with these claims, which may replace its own.
pub fn access_token(claims: &Value) -> String {
    let pool_id = variable(&[], "USER_POOL_ID").unwrap();
    let mut all = json!({
        "iss": format!("https://cognito-idp.us-east-1.amazonaws.com/{pool_id}"),
        "client_id": variable(&[], "USER_POOL_CLIENT_ID"),
        "token_use": "access",
    });
    let claims = claims.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(claims);
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (header, payload) = (part(r#"{"alg":"RS256"}"#), part(&all.to_string()));
    format!("{header}.{payload}.c2lnbmF0dXJl")
}

/// What a token says.
fn claims(token: &Value) -> Value {
    let mut parts = token.as_str().unwrap().split('.');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.nth(1).unwrap()).unwrap()).unwrap()
}

/// As long as Cognito's own of this kind.
pub fn token(kind: &str, length: usize) -> String {
    format!("{kind:-<length$}")
}

type Replies = dyn Fn(&Call) -> Option<Reply> + Send + Sync;

/// An AWS in this process. Clones share what they were asked.
#[derive(Clone)]
pub struct FakeAws {
    calls: Arc<Mutex<Vec<Call>>>,
    replies: Arc<Replies>,
}

impl Default for FakeAws {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FakeAws")
    }
}

impl FakeAws {
    /// An AWS that answers with these replies, and with [`Reply::success`] if there is none.
    pub fn new(replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self {
            calls: Arc::default(),
            replies: Arc::new(replies),
        }
    }

    /// An AWS that answers one operation with this reply, and the others well.
    pub fn with(operation: &'static str, reply: Reply) -> Self {
        Self::new(move |call| (call.operation == operation).then(|| reply.clone()))
    }

    /// An AWS that answers one operation with these replies, one after the other and the last one from then on.
    pub fn in_turn(operation: &'static str, replies: impl Into<Vec<Reply>>) -> Self {
        let (replies, next) = (replies.into(), AtomicUsize::new(0));
        Self::new(move |call| {
            let number = || next.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1);
            (call.operation == operation).then(|| replies[number()].clone())
        })
    }

    /// An AWS that answers one operation with this exception, and the others well.
    pub fn failing(
        operation: &'static str,
        name: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self::new(move |call| {
            (call.operation == operation).then(|| Reply::exception(call, 400, name, &message))
        })
    }

    /// The reply to this request, if it is another than [`Reply::success`].
    pub fn reply(&self, call: &Call) -> Option<Reply> {
        (self.replies)(call)
    }

    /// The way to it for an SDK's client.
    pub fn http_client(&self) -> impl HttpClient + 'static {
        let aws = self.clone();
        infallible_client_fn(move |request| {
            let header = |name| {
                request
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
            };
            let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
            let call = Call {
                uri: request.uri().to_string(),
                signed: header("authorization").is_some(),
                ..Call::read(header("x-amz-target"), request.uri().path(), body)
            };
            let reply = aws.reply(&call).unwrap_or_else(|| Reply::success(&call));
            aws.calls.lock().unwrap().push(call);
            http::Response::builder()
                .status(reply.status)
                .header("content-type", reply.content_type)
                .body(reply.body.map_or_else(SdkBody::taken, SdkBody::from))
                .unwrap()
        })
    }

    /// Every request so far, the oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The bodies of the requests of one operation so far.
    pub fn bodies(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls().into_iter();
        let calls = calls.filter(|call| call.operation == operation);
        calls.map(|call| call.body).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }
}
