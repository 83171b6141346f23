//! Events of API Gateway's REST and HTTP APIs with hostile requests, some of them encoded wrongly.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use e2e::Route;
use lambda_http::http::HeaderMap;
use lambda_http::request::LambdaRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::request::{Request, json};

/// Encodes a body as the fields `body` and `isBase64Encoded` of an event.
type Encode = fn(&[u8]) -> Option<[Value; 2]>;

const TEXT: Encode = |body| Some([text(body), false.into()]);
const BASE64: Encode = |body| Some([STANDARD.encode(body).into(), true.into()]);

/// Wrong encodings. The answer is that of any unreadable body.
const BROKEN: [Encode; 8] = [
    |body| Some([STANDARD.encode(body).into(), Value::Null]),
    |body| Some([text(body), true.into()]),
    |body| Some([STANDARD_NO_PAD.encode(body).into(), true.into()]),
    |body| Some([URL_SAFE.encode(body).into(), true.into()]),
    |body| Some([STANDARD.encode(body).get(1..).into(), true.into()]),
    |body| Some([(STANDARD.encode(body) + "\r\n").into(), true.into()]),
    |_| Some([Value::Null, Value::Null]),
    |_| None,
];

fn text(body: &[u8]) -> Value {
    String::from_utf8_lossy(body).into()
}

/// Methods that the gateway rejects.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "PUT", "DELETE", "post", "", "zebra", "POST\r\n",
];

/// Fields that no function reads.
const FIELDS: [&str; 6] = [
    "headers",
    "path",
    "stageVariables",
    "cookies",
    "__proto__",
    "zebra",
];

/// An event of API Gateway.
#[derive(Clone)]
pub struct Event {
    /// The JSON that a function gets.
    pub text: Vec<u8>,
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.text.escape_ascii())
    }
}

impl Event {
    /// Wraps any bytes, which need not be an event.
    pub fn read(text: &[u8]) -> Self {
        Self {
            text: text.to_vec(),
        }
    }

    /// The event of a REST API with this body and an access token.
    pub fn new(body: &[u8], base64: bool) -> Self {
        let encode = if base64 { BASE64 } else { TEXT };
        let mut request = Request::new(body);
        let token = format!("Bearer {}", Route::example_token());
        request.headers.push(("authorization", token.into_bytes()));
        Self::from_json(Self::json(request, encode, "POST", false))
    }

    /// The method; `POST` if the bytes are not an event of API Gateway.
    pub fn method(&self) -> String {
        match serde_json::from_slice(&self.text) {
            Ok(LambdaRequest::ApiGatewayV1(event)) => event.http_method.to_string(),
            Ok(LambdaRequest::ApiGatewayV2(event)) => event.request_context.http.method.to_string(),
            _ => "POST".to_owned(),
        }
    }

    /// The decoded body, if the function can read it.
    pub fn body(&self) -> Option<Vec<u8>> {
        let (body, base64) = match serde_json::from_slice(&self.text) {
            Ok(LambdaRequest::ApiGatewayV1(event)) => (event.body?, event.is_base64_encoded),
            Ok(LambdaRequest::ApiGatewayV2(event)) => (event.body?, event.is_base64_encoded),
            _ => return None,
        };
        match base64 {
            true => STANDARD.decode(body).ok(),
            false => Some(body.into_bytes()),
        }
    }

    /// The token that the function reads from the header.
    pub fn token(&self) -> Option<String> {
        let headers = self.headers();
        let header = headers.get("authorization")?.to_str().ok()?;
        Some(header.rsplit(' ').next()?.to_owned())
    }

    /// Whether a page of another origin than this one sent the request.
    pub fn has_other_origin(&self, origin: &str) -> bool {
        let headers = self.headers();
        headers
            .get_all("origin")
            .iter()
            .any(|value| value != origin)
    }

    fn headers(&self) -> HeaderMap {
        match serde_json::from_slice(&self.text) {
            Ok(LambdaRequest::ApiGatewayV1(event)) if event.multi_value_headers.is_empty() => {
                event.headers
            }
            Ok(LambdaRequest::ApiGatewayV1(event)) => event.multi_value_headers,
            Ok(LambdaRequest::ApiGatewayV2(event)) => event.headers,
            _ => HeaderMap::new(),
        }
    }

    /// Generates events for this route.
    pub fn any(route: Route) -> impl Strategy<Value = Self> {
        let encode = prop_oneof![
            20 => Just(TEXT),
            8 => Just(BASE64),
            3 => select(&BROKEN[..]),
        ];
        let method = prop_oneof![
            40 => Just("POST"),
            1 => Just("OPTIONS"),
            1 => select(&METHODS[..]),
        ];
        let more = vec((select(&FIELDS[..]), json()), 0..2);
        (
            Request::with_headers(route, Route::example_token(), &[1]),
            encode,
            method,
            any::<bool>(),
            more,
        )
            .prop_map(|(request, encode, method, http_api, more)| {
                let mut event = Self::json(request, encode, method, http_api);
                for (key, value) in more {
                    event[key] = value;
                }
                Self::from_json(event)
            })
    }

    fn from_json(json: Value) -> Self {
        Self {
            text: json.to_string().into_bytes(),
        }
    }

    fn json(request: Request, encode: Encode, method: &str, http_api: bool) -> Value {
        let headers: Value = request
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect::<serde_json::Map<_, Value>>()
            .into();
        let mut json = if http_api {
            json!({
                "version": "2.0",
                "routeKey": "POST /auth/zebra",
                "rawPath": "/production/auth/zebra",
                "rawQueryString": request.query,
                "requestContext": { "http": { "method": method, "path": "/production/auth/zebra" }, "stage": "production" },
            })
        } else {
            json!({
                "resource": "/auth/zebra",
                "path": "/auth/zebra",
                "httpMethod": method,
                "queryStringParameters": { "query": request.query },
                "multiValueHeaders": null,
                "requestContext": { "httpMethod": method, "stage": "production" },
            })
        };
        json["headers"] = headers;
        if let Some([body, marked]) = encode(&request.body) {
            json["body"] = body;
            json["isBase64Encoded"] = marked;
        }
        json
    }
}
