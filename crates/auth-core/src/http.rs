//! HTTP in and out: API Gateway's event to a request, a response or an [`Error`] to API Gateway's answer.
//!
//! The event is read here and not by `lambda_http`: this API needs three of its fields, and `lambda_http`
//! panics where a body that is marked as base64 is not. The names are the same in the events of REST and
//! HTTP APIs.

use std::borrow::Cow;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{Context, LambdaEvent, Runtime, service_fn};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Env, bad_value};
use crate::deadline;
use crate::error::{Error, Kind, Result};
use crate::request::{self, Fields, MAX_BODY_BYTES};
use crate::telemetry::Call;

/// The base64 of the largest body: what is longer need not be decoded to be refused.
const MAX_BASE64_BYTES: usize = MAX_BODY_BYTES.div_ceil(3) * 4;

/// The part of API Gateway's event that this API reads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    http_method: Option<String>,
    resource: Option<String>,
    request_context: Option<RequestContext>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RequestContext {
    http: Option<Http>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Http {
    method: Option<String>,
    path: Option<String>,
}

impl Event {
    /// An HTTP API's, or a REST API's: `cargo lambda watch` sends both, and means the first.
    fn method(&self) -> &str {
        let http = self.http().and_then(|http| http.method.as_deref());
        http.or(self.http_method.as_deref()).unwrap_or("POST")
    }

    /// The route as the gateway's configuration names it; a caller can't choose its text.
    fn route(&self) -> &str {
        let path = self.http().and_then(|http| http.path.as_deref());
        self.resource.as_deref().or(path).unwrap_or_default()
    }

    fn http(&self) -> Option<&Http> {
        self.request_context.as_ref()?.http.as_ref()
    }

    fn body(&self) -> Result<Cow<'_, [u8]>> {
        let body = self.body.as_deref().unwrap_or_default();
        match self.is_base64_encoded {
            Some(true) if body.len() > MAX_BASE64_BYTES => Err(request::too_large()),
            // What is not base64 is not JSON either, and is answered so.
            Some(true) => Ok(Cow::Owned(STANDARD.decode(body).unwrap_or_default())),
            _ => Ok(Cow::Borrowed(body.as_bytes())),
        }
    }
}

/// API Gateway's form of an HTTP answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: Headers,
    body: String,
    is_base64_encoded: bool,
    /// None are set; an HTTP API's answer has the list, a REST API's does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<[&'static str; 0]>,
}

#[derive(Serialize)]
struct Headers {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
    #[serde(rename = "Cache-Control")]
    cache_control: &'static str,
    #[serde(rename = "Access-Control-Allow-Origin")]
    allow_origin: String,
    #[serde(rename = "Access-Control-Allow-Headers")]
    allow_headers: &'static str,
    #[serde(rename = "Access-Control-Allow-Methods")]
    allow_methods: &'static str,
    #[serde(rename = "Allow", skip_serializing_if = "Option::is_none")]
    allow: Option<&'static str>,
    /// Else the pages of a browser would not get to see the header after it.
    #[serde(
        rename = "Access-Control-Expose-Headers",
        skip_serializing_if = "Option::is_none"
    )]
    expose_headers: Option<&'static str>,
    #[serde(rename = "Retry-After", skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    r#type: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

/// A route: one function behind API Gateway.
#[derive(Debug)]
pub struct Route {
    function: &'static str,
    allowed_origin: String,
}

impl Route {
    /// The route of the function with this name. Reads `ALLOWED_ORIGIN`.
    ///
    /// # Errors
    /// Names the variable where it is missing, or neither `*` nor an origin.
    pub fn from_env(
        function: &'static str,
        env: Env<'_>,
    ) -> std::result::Result<Self, ConfigError> {
        let allowed_origin = env.required("ALLOWED_ORIGIN")?;
        if !is_origin(&allowed_origin) {
            return Err(bad_value(
                "ALLOWED_ORIGIN",
                &"* or an origin such as https://example.com",
            ));
        }
        Ok(Self {
            function,
            allowed_origin,
        })
    }

    /// Serves Lambda's invocations until the process ends: each is parsed, run, and answered with 200 and
    /// the response, or with the error's status and body.
    ///
    /// # Errors
    /// Where Lambda's runtime interface fails; never for a request.
    pub async fn serve<T, R: Serialize>(
        self,
        parse: impl Fn(&Fields<'_>) -> Result<T>,
        operation: impl AsyncFn(T) -> Result<R>,
    ) -> std::result::Result<(), lambda_runtime::Error> {
        let (route, parse, operation) = (&self, &parse, &operation);
        let handler = service_fn(async |event: LambdaEvent<Event>| {
            Ok::<_, lambda_runtime::Error>(
                route
                    .answer(&event.payload, &event.context, parse, operation)
                    .await,
            )
        });
        Runtime::new(handler).run().await
    }

    /// Answers one event.
    pub async fn answer<T, R: Serialize>(
        &self,
        event: &Event,
        context: &Context,
        parse: impl Fn(&Fields<'_>) -> Result<T>,
        operation: impl AsyncFn(T) -> Result<R>,
    ) -> Answer {
        let call = Call {
            function: self.function,
            request_id: &context.request_id,
            route: event.route(),
            started: Instant::now(),
        };
        let outcome = if event.method() == "OPTIONS" {
            // Behind API Gateway the preflight never gets here; it does with `make watch`.
            Ok("{}".to_owned())
        } else {
            answer_post(event, context, parse, operation).await
        };
        call.finish(outcome.as_ref().map(|_| ()));
        let answer = match outcome {
            Ok(body) => self.build(200, body, None),
            Err(error) => self.refuse(&error),
        };
        Answer {
            cookies: event.http().map(|_| []),
            ..answer
        }
    }

    fn refuse(&self, error: &Error) -> Answer {
        let body = ErrorBody {
            error: ErrorFields {
                r#type: &error.name,
                message: &error.message,
                session: error
                    .session
                    .as_ref()
                    .map(|session| session.expose_secret()),
            },
        };
        // Three strings always serialize.
        let body = serde_json::to_string(&body).unwrap_or_default();
        self.build(status(error.kind), body, error.retry_after)
    }

    fn build(&self, status_code: u16, body: String, retry_after: Option<u32>) -> Answer {
        Answer {
            status_code,
            headers: Headers {
                content_type: "application/json",
                cache_control: "no-store",
                allow_origin: self.allowed_origin.clone(),
                allow_headers: "*",
                allow_methods: "POST,OPTIONS",
                allow: (status_code == 405).then_some("POST, OPTIONS"),
                expose_headers: retry_after.map(|_| "Retry-After"),
                retry_after: retry_after.map(|seconds| seconds.to_string()),
            },
            body,
            is_base64_encoded: false,
            cookies: None,
        }
    }
}

/// The status of each kind of error: the only place that knows both.
pub(crate) fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => 400,
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::MethodNotAllowed => 405,
        Kind::Conflict => 409,
        Kind::TooLarge => 413,
        Kind::Throttled => 429,
        Kind::Internal => 500,
        Kind::Unavailable => 503,
    }
}

/// The body of the success, as JSON.
async fn answer_post<T, R: Serialize>(
    event: &Event,
    context: &Context,
    parse: impl Fn(&Fields<'_>) -> Result<T>,
    operation: impl AsyncFn(T) -> Result<R>,
) -> Result<String> {
    if event.method() != "POST" {
        return Err(Error::new(
            Kind::MethodNotAllowed,
            "MethodNotAllowedException",
            "This route answers POST requests with a JSON body.",
        ));
    }
    let request = parse(&Fields::parse(&event.body()?)?)?;
    let response = deadline::within(context, operation(request)).await?;
    serde_json::to_string(&response)
        .map_err(|_| Error::internal("the response can't be written as JSON"))
}

fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text == "*"
        || host.is_some_and(|host| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b".-:[]".contains(&c))
        })
}

#[cfg(test)]
mod tests;
