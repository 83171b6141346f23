//! An HTTP answer, and the rules of the API's contract that each one keeps.

use serde_json::{Value, json};
use ureq::http::HeaderMap;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub text: String,
    headers: HeaderMap,
    allowed_origin: &'static str,
}

impl Answer {
    pub(crate) fn new(
        mut response: ureq::http::Response<ureq::Body>,
        allowed_origin: &'static str,
    ) -> Self {
        Self {
            status: response.status().as_u16(),
            text: response.body_mut().read_to_string().unwrap(),
            headers: response.headers().clone(),
            allowed_origin,
        }
    }

    /// The header's value, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("the body is no JSON: {self:?}"))
    }

    /// Checks that the API granted the request, with every header, and gives its body.
    #[track_caller]
    pub fn granted(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.check_headers();
        self.json()
    }

    /// Checks that the API refused the request with this status and error type, with every header and
    /// nothing else in the body, and gives the error's message.
    #[track_caller]
    pub fn refused(&self, status: u16, error_type: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.check_headers();
        let body = self.json();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "no message: {body}");
        assert_eq!(
            body,
            json!({ "error": { "type": error_type, "message": message } })
        );
        message.to_owned()
    }

    /// As [`Answer::refused`], with this message.
    #[track_caller]
    pub fn refused_with(&self, status: u16, error_type: &str, message: &str) {
        assert_eq!(self.refused(status, error_type), message);
    }

    /// Checks that a one-time code was wrong and that another answer is allowed, with every header, and
    /// gives the session for it.
    #[track_caller]
    pub fn wrong_code(&self) -> String {
        assert_eq!(self.status, 401, "{}", self.text);
        self.check_headers();
        let body = self.json();
        let session = body["error"]["session"].as_str().unwrap_or_default();
        assert!(!session.is_empty(), "no session: {body}");
        let error = json!({
            "type": "CodeMismatchException",
            "message": "Invalid verification code provided, please try again.",
            "session": session,
        });
        assert_eq!(body, json!({ "error": error }));
        session.to_owned()
    }

    /// Checks that a code was asked for too early, and gives the seconds to wait.
    #[track_caller]
    pub fn throttled(&self) -> u64 {
        let message = "Please wait before you ask for another code.";
        self.refused_with(429, "TooManyRequestsException", message);
        let wait = self.header("retry-after").expect("no time to wait");
        wait.parse().unwrap()
    }

    /// The type of the error that the API answered, and `None` where it granted the request.
    ///
    /// # Errors
    /// The rule of the contract that this answer breaks.
    pub fn error_type(&self) -> Result<Option<String>, String> {
        if let Some(name) = self.wrong_header() {
            return Err(format!("the header {name} is {:?}", self.header(name)));
        }
        if [429, 503].contains(&self.status) && self.header("retry-after").is_none() {
            return Err(format!("{} without Retry-After", self.status));
        }
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        match (self.status, body.as_object()) {
            (_, None) => Err("the body is no JSON object".to_owned()),
            (200, Some(_)) => Ok(None),
            (_, Some(body)) => {
                let error = body.get("error").and_then(Value::as_object);
                let text = |key| error?.get(key)?.as_str().filter(|text| !text.is_empty());
                let fields = 2 + usize::from(text("session").is_some());
                match (text("type"), text("message")) {
                    (Some(error_type), Some(_))
                        if body.len() == 1 && error.is_some_and(|it| it.len() == fields) =>
                    {
                        Ok(Some(error_type.to_owned()))
                    }
                    _ => Err("the body is no error of the contract's form".to_owned()),
                }
            }
        }
    }

    #[track_caller]
    fn check_headers(&self) {
        if let Some(name) = self.wrong_header() {
            panic!("{name} of {self:?}");
        }
    }

    /// The first header that every answer has and this one has not, or with another value.
    fn wrong_header(&self) -> Option<&'static str> {
        [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", self.allowed_origin),
            ("access-control-allow-headers", "*"),
            ("access-control-allow-methods", "POST,OPTIONS"),
        ]
        .into_iter()
        .find(|(name, value)| self.header(name) != Some(value))
        .map(|(name, _)| name)
    }
}
