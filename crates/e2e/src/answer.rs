//! An HTTP answer, and the rules of the API's contract that each one keeps.

use serde_json::{Value, json};
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// The statuses that an error can have.
const ERRORS: [u16; 10] = [400, 401, 403, 404, 405, 409, 413, 429, 500, 503];

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub text: String,
    /// The message that `openapi.yaml` shows for an error of this type, of this route and status.
    pub(crate) documented: Option<&'static str>,
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
            documented: None,
            headers: response.headers().clone(),
            allowed_origin,
        }
    }

    /// A function's own answer of a stack that allows any origin, as API Gateway would send it on.
    #[track_caller]
    pub fn of_function(answer: &Value) -> Self {
        let fields = answer.as_object().expect("an answer");
        let known = "statusCode headers multiValueHeaders body isBase64Encoded cookies";
        let mut unknown = fields
            .keys()
            .filter(|key| !known.split(' ').any(|known| known == *key));
        assert_eq!(unknown.next(), None, "{answer}");
        assert_eq!(answer["isBase64Encoded"], false);
        assert!(
            answer
                .get("cookies")
                .is_none_or(|cookies| *cookies == json!([])),
            "{answer}"
        );
        // An HTTP API's in the one, a REST API's in the other.
        let maps = ["headers", "multiValueHeaders"].into_iter();
        let headers = maps.filter_map(|map| answer[map].as_object()).flatten();
        let headers = headers.map(|(name, value)| {
            let value = match value.as_array() {
                Some(values) => &values[0],
                None => value,
            };
            let value = value.as_str().expect("a header's text");
            let name: HeaderName = name.parse().expect("a header's name");
            (
                name,
                HeaderValue::from_str(value).expect("a header's value"),
            )
        });
        Self {
            status: answer["statusCode"].as_u64().unwrap().try_into().unwrap(),
            text: answer["body"].as_str().expect("a body").to_owned(),
            documented: None,
            headers: headers.collect(),
            allowed_origin: "*",
        }
    }

    /// All headers, with their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Checks that this is an answer of the contract, with every header, and gives its body.
    #[track_caller]
    pub fn assert_contract(&self) -> Value {
        if let Err(rule) = self.error_type() {
            panic!("{rule}: {self:?}");
        }
        self.json()
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

    /// Checks that the API granted the request, and gives the body.
    #[track_caller]
    pub fn assert_ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.assert_contract()
    }

    /// Checks that the API refused the request for good, with this status and error type, and gives the error's
    /// message.
    #[track_caller]
    pub fn assert_error(&self, status: u16, error_type: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let error = &self.assert_contract()["error"];
        assert_eq!(error["type"], error_type, "{}", self.text);
        assert_eq!(error.get("session"), None, "{}", self.text);
        error["message"].as_str().unwrap().to_owned()
    }

    /// As [`Answer::assert_error`], with this message.
    #[track_caller]
    pub fn assert_error_with(&self, status: u16, error_type: &str, message: &str) {
        assert_eq!(self.assert_error(status, error_type), message);
    }

    /// As [`Answer::assert_error`], with the message of the example that `openapi.yaml` has of it at this route.
    #[track_caller]
    pub fn assert_documented_error(&self, status: u16, error_type: &str) {
        let message = self.assert_error(status, error_type);
        self.assert_documented(&message);
    }

    #[track_caller]
    fn assert_documented(&self, message: &str) {
        let documented = self.documented.expect("not an answer of `Stack::post`");
        // A final period may be missing, on AWS too.
        let but_period = |text: &str| text.trim_end_matches('.').to_owned();
        assert_eq!(but_period(message), but_period(documented), "openapi.yaml");
    }

    /// Checks that a one-time code was wrong and that another answer is allowed, and gives the session for it.
    #[track_caller]
    pub fn assert_wrong_code(&self) -> String {
        assert_eq!(self.status, 401, "{}", self.text);
        let error = &self.assert_contract()["error"];
        self.assert_documented(error["message"].as_str().unwrap());
        let session = error["session"].as_str();
        session
            .unwrap_or_else(|| panic!("no session: {}", self.text))
            .to_owned()
    }

    /// Checks that a code was asked for too early, and gives the seconds to wait.
    #[track_caller]
    pub fn assert_throttled(&self) -> u64 {
        self.assert_documented_error(429, "TooManyRequestsException");
        let wait = self.header("retry-after").unwrap();
        wait.parse().unwrap()
    }

    /// The type of the error that the API answered, and `None` where it granted the request.
    ///
    /// # Errors
    /// The rule of the contract that this answer breaks.
    pub fn error_type(&self) -> Result<Option<String>, String> {
        if let Some(name) = self.wrong_header() {
            let value = self.header(name).unwrap_or("missing");
            return Err(format!("the header {name} is {value}"));
        }
        let wait = self.header("retry-after").map(str::parse::<u32>);
        let waits = matches!(self.status, 429 | 503);
        if wait.is_some_and(|wait| wait.is_ok()) != waits {
            return Err(format!("{} and Retry-After", self.status));
        }
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let Some(fields) = body.as_object() else {
            return Err("the body is no JSON object".to_owned());
        };
        if self.status == 200 && !fields.contains_key("error") {
            return Ok(None);
        }
        if !ERRORS.contains(&self.status) {
            return Err(format!("no error has the status {}", self.status));
        }
        let text = |key: &str| body["error"][key].as_str().filter(|text| !text.is_empty());
        let (Some(error_type), Some(message)) = (text("type"), text("message")) else {
            return Err("an error without type or message".to_owned());
        };
        let mut error = json!({ "type": error_type, "message": message });
        if let Some(session) = text("session")
            && (self.status, error_type) == (401, "CodeMismatchException")
        {
            error["session"] = session.into();
        }
        match body == json!({ "error": error }) {
            true => Ok(Some(error_type.to_owned())),
            false => Err("the body has more than an error".to_owned()),
        }
    }

    /// The first header that every answer has and this one has not, or with another value.
    fn wrong_header(&self) -> Option<&'static str> {
        [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", self.allowed_origin),
            ("access-control-allow-headers", "*,Authorization"),
            ("access-control-allow-methods", "POST,OPTIONS"),
        ]
        .into_iter()
        .find(|(name, value)| self.header(name) != Some(value))
        .map(|(name, _)| name)
    }
}
