//! An HTTP answer, and the checks of the API's contract.

use serde_json::{Value, json};
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Route, Specification};

/// The HTTP statuses of errors.
const ERRORS: [u16; 10] = [400, 401, 403, 404, 405, 409, 413, 429, 500, 503];

/// A complete HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The unparsed body.
    pub text: String,
    /// The message of `openapi.yaml`'s example for this route, status and error type.
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

    /// The answer that API Gateway would make of a function's JSON, on a stack that allows any origin.
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
        // An HTTP API uses `headers`, a REST API `multiValueHeaders`.
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

    /// The same, if only pages of this origin may call the function.
    pub fn to_page_of(mut self, origin: &'static str) -> Self {
        self.allowed_origin = origin;
        self
    }

    /// All headers; their names are in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Checks the answer against the contract, including the headers, and returns its body.
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
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("the body is not JSON: {self:?}"))
    }

    /// Checks that the request succeeded, and returns the body.
    #[track_caller]
    pub fn assert_ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.assert_contract()
    }

    /// Checks that the answer is this error without a session to continue with, and returns the error's message.
    #[track_caller]
    pub fn assert_error(&self, status: u16, error_type: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let error = &self.assert_contract()["error"];
        assert_eq!(error["type"], error_type, "{}", self.text);
        assert_eq!(error.get("session"), None, "{}", self.text);
        error["message"].as_str().unwrap().to_owned()
    }

    /// As [`Answer::assert_error`]; also checks the message.
    #[track_caller]
    pub fn assert_error_with(&self, status: u16, error_type: &str, message: &str) {
        assert_eq!(self.assert_error(status, error_type), message);
    }

    /// As [`Answer::assert_error`]; also compares the message with `openapi.yaml`'s example for this route.
    #[track_caller]
    pub fn assert_documented_error(&self, status: u16, error_type: &str) {
        let message = self.assert_error(status, error_type);
        self.assert_documented(&message);
    }

    /// Checks the answer against the specification of this route.
    #[track_caller]
    pub fn assert_specified(&self, route: Route) {
        Specification::of(route.mode).check(route.path, self);
    }

    #[track_caller]
    fn assert_documented(&self, message: &str) {
        let documented = self.documented.expect("not an answer of `Stack::post`");
        // Some messages lack the final period, on AWS too.
        let without_period = |text: &str| text.trim_end_matches('.').to_owned();
        assert_eq!(
            without_period(message),
            without_period(documented),
            "openapi.yaml"
        );
    }

    /// Checks that a one-time code was wrong and another answer is allowed, and returns the session for it.
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

    /// Checks that a code was requested too early, and returns the seconds to wait.
    #[track_caller]
    pub fn assert_throttled(&self) -> u64 {
        self.assert_documented_error(429, "TooManyRequestsException");
        let wait = self.header("retry-after").unwrap();
        wait.parse().unwrap()
    }

    /// The error's type, or `None` if the request succeeded.
    ///
    /// # Errors
    /// If the answer breaks the contract: what is wrong.
    pub fn error_type(&self) -> Result<Option<String>, String> {
        if let Some(name) = self.wrong_header() {
            let value = self.header(name).unwrap_or("missing");
            return Err(format!("the header {name} is {value}"));
        }
        let wait = self.header("retry-after").map(str::parse::<u32>);
        let waits = matches!(self.status, 429 | 503);
        if wait.is_some_and(|wait| wait.is_ok()) != waits {
            return Err(format!(
                "status {} and Retry-After do not agree",
                self.status
            ));
        }
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let Some(fields) = body.as_object() else {
            return Err("the body is not a JSON object".to_owned());
        };
        if self.status == 200 && !fields.contains_key("error") {
            return Ok(None);
        }
        if !ERRORS.contains(&self.status) {
            return Err(format!(
                "the contract has no error with status {}",
                self.status
            ));
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

    /// The first header of the contract that is missing or has another value.
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
