//! HTTP in and out: API Gateway's event to a [`Route`]'s request, its response or [`Error`] to API Gateway's answer.
//!
//! `lambda_http` reads the event, of a REST or an HTTP API, and writes the answer.

use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, Body, IntoResponse, Request, RequestExt as _, Service, service_fn};
use lambda_runtime::{Context, LambdaEvent, Runtime};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use url::{Origin, Url};

use crate::clients::Setup;
use crate::config::{self, bad_value};
use crate::deadline;
use crate::error::{Error, Kind, Name, Result};
use crate::request::{Fields, MAX_BODY_BYTES};
use crate::route::{Caller, Route};
use crate::telemetry::{self, Call};

/// The length of the largest body in base64: a longer one is rejected without decoding.
const MAX_BASE64_BYTES: usize = MAX_BODY_BYTES.div_ceil(3) * 4;

/// Serves Lambda's invocations of a route until the process ends: a doorway's whole `main`.
///
/// # Errors
/// Names the variable of the environment that is missing or bad; also if Lambda's runtime interface fails. Never
/// because of a request.
pub async fn serve<R: Route>() -> std::result::Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let endpoint = Endpoint::<R>::new(&Setup::from_env(env)?)?;
    Runtime::new(endpoint.service()).run().await
}

/// A route behind API Gateway.
#[derive(Debug)]
pub struct Endpoint<R> {
    route: R,
    allowed_origin: HeaderValue,
}

impl<R: Route> Endpoint<R> {
    /// The route with its settings. Reads `ALLOWED_ORIGIN`, and the variables of the route.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let origin = setup.env.required("ALLOWED_ORIGIN")?;
        let header = HeaderValue::try_from(&origin).ok();
        let header = header.filter(|_| origin == ANY_ORIGIN || is_origin(&origin));
        Ok(Self {
            allowed_origin: header.ok_or_else(|| {
                bad_value(
                    "ALLOWED_ORIGIN",
                    &"* or an origin such as https://example.com",
                )
            })?,
            route: R::new(setup)?,
        })
    }

    /// The service that answers Lambda's events.
    pub fn service(
        &self,
    ) -> impl Service<LambdaEvent<Event>, Response = impl Serialize, Error = Infallible> {
        let handler = service_fn(async |request: Request| Ok(self.answer(&request).await));
        Adapter::from(handler).map_request(|event: LambdaEvent<Event>| {
            LambdaEvent::new(event.payload.0, event.context)
        })
    }

    async fn answer(&self, request: &Request) -> Answer {
        let none = Context::default();
        let context = request.lambda_context_ref().unwrap_or(&none);
        let call = Call {
            function: R::NAME,
            request_id: &context.request_id,
            route: path(request),
            started: Instant::now(),
        };
        let outcome = match *request.method() {
            // API Gateway answers preflights itself; with `make watch` they get here.
            Method::OPTIONS => Ok("{}".to_owned()),
            Method::POST => self.post(request, context).await,
            _ => Err(Error::new(
                Name::MethodNotAllowedException,
                "This route answers POST requests with a JSON body.",
            )),
        };
        call.finish(outcome.as_ref().map(|_| ()));
        match outcome {
            Ok(body) => self.respond(StatusCode::OK, body, None),
            Err(error) => self.reject(&error),
        }
    }

    /// The body of the success, as JSON.
    async fn post(&self, request: &Request, context: &Context) -> Result<String> {
        self.check_origin(request.headers())?;
        let request = self.read(bearer(request.headers()), request.body())?;
        let response = deadline::within(context, self.route.run(request)).await?;
        serde_json::to_string(&response)
            .map_err(|_| Error::internal("the response can't be written as JSON"))
    }

    /// Rejects other origins. A page can send some requests without a preflight, and CORS then hides only the answer.
    /// Clients that are not browsers send no `Origin`.
    fn check_origin(&self, headers: &HeaderMap) -> Result<()> {
        let is_allowed = |origin: &HeaderValue| origin == self.allowed_origin;
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match self.allowed_origin == ANY_ORIGIN || origins.all(is_allowed) {
            true => Ok(()),
            false => Err(Error::new(
                Name::ForbiddenException,
                "Pages of this origin may not call this API.",
            )),
        }
    }

    /// The request of this token and this body.
    fn read(&self, token: Option<SecretString>, body: &[u8]) -> Result<R::Request> {
        let caller = R::Caller::read(token)?;
        let body = match body.is_empty() && R::Caller::BODY_MAY_BE_EMPTY {
            true => b"{}",
            false => body,
        };
        self.route.parse(caller, &Fields::parse(body)?)
    }

    fn reject(&self, error: &Error) -> Answer {
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
        let Answer(mut response) = self.respond(status(error.kind), body, error.retry_after);
        if error.needs_bearer {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        Answer(response)
    }

    fn respond(&self, status: StatusCode, body: String, retry_after: Option<u32>) -> Answer {
        let mut response = Response::new(Body::Text(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            self.allowed_origin.clone(),
        );
        let mut add =
            |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
        add(header::CONTENT_TYPE, "application/json");
        add(header::CACHE_CONTROL, "no-store");
        // In browsers, `*` means every header except this one.
        add(header::ACCESS_CONTROL_ALLOW_HEADERS, "*,Authorization");
        add(header::ACCESS_CONTROL_ALLOW_METHODS, "POST,OPTIONS");
        if status == StatusCode::METHOD_NOT_ALLOWED {
            add(header::ALLOW, "POST, OPTIONS");
        }
        if let Some(seconds) = retry_after {
            // Otherwise a page in a browser can't read the header after it.
            add(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After");
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        Answer(response)
    }
}

type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A route of any type, behind API Gateway.
pub trait AnyRoute: Send + Sync {
    /// [`Route::NAME`].
    fn name(&self) -> &'static str;

    /// The answer to API Gateway for an event, as JSON.
    fn answer(&self, event: LambdaEvent<Event>) -> LocalFuture<'_, serde_json::Value>;

    /// The request of this token and this body, for `{:?}`.
    ///
    /// # Errors
    /// [`Caller::read`]'s and [`Route::parse`]'s.
    fn parse(&self, token: &str, body: &[u8]) -> Result<Box<dyn fmt::Debug>>;

    /// The response to this token and this body, as JSON.
    ///
    /// # Errors
    /// [`Caller::read`]'s, [`Route::parse`]'s and [`Route::run`]'s.
    fn run<'a>(
        &'a self,
        token: &'a str,
        body: &'a [u8],
    ) -> LocalFuture<'a, Result<serde_json::Value>>;
}

/// Makes a route of this environment.
pub type NewRoute = fn(&Setup<'_>) -> config::Result<Box<dyn AnyRoute>>;

/// A [`NewRoute`].
///
/// # Errors
/// [`Endpoint::new`]'s.
pub fn any<R: Route>(setup: &Setup<'_>) -> config::Result<Box<dyn AnyRoute>> {
    Ok(Box::new(Endpoint::<R>::new(setup)?))
}

impl<R: Route> AnyRoute for Endpoint<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn answer(&self, event: LambdaEvent<Event>) -> LocalFuture<'_, serde_json::Value> {
        Box::pin(async {
            let Ok(answer) = self.service().call(event).await;
            serde_json::to_value(answer).unwrap_or_default()
        })
    }

    fn parse(&self, token: &str, body: &[u8]) -> Result<Box<dyn fmt::Debug>> {
        Ok(Box::new(self.read(Some(token.into()), body)?))
    }

    fn run<'a>(
        &'a self,
        token: &'a str,
        body: &'a [u8],
    ) -> LocalFuture<'a, Result<serde_json::Value>> {
        Box::pin(async {
            let request = self.read(Some(token.into()), body)?;
            let response = self.route.run(request).await?;
            Ok(serde_json::to_value(response).unwrap_or_default())
        })
    }
}

/// The token of the one `Authorization` header, if it has the form of RFC 6750: `Bearer`, in any case, and a token.
fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"-._~+/=".contains(&c);
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    (is_bearer && !token.is_empty() && token.bytes().all(is_token)).then(|| token.into())
}

/// The route's path as the gateway's configuration names it: a caller can't choose its text.
fn path(request: &Request) -> &str {
    let path = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref(),
        Some(RequestContext::ApiGatewayV2(context)) => context.http.path.as_deref(),
        _ => None,
    };
    path.unwrap_or_default()
}

/// API Gateway's event, as far as this API reads it: method, path, headers and body.
///
/// A guard: `lambda_http` panics, and the function would abort, if a body is not the base64 that it is marked as, or
/// if `Host`, `X-Forwarded-Proto`, path and query make no URL. API Gateway sends no such event; tests and
/// `cargo lambda watch` can.
pub struct Event(LambdaRequest);

impl<'de> Deserialize<'de> for Event {
    /// Never fails for JSON: any other event is a `POST` without a body.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Self(match LambdaRequest::deserialize(deserializer) {
            Ok(LambdaRequest::ApiGatewayV1(read)) => {
                let mut event = ApiGatewayProxyRequest::default();
                // The other map has the last of each header alone.
                event.multi_value_headers = headers(match read.multi_value_headers.is_empty() {
                    true => read.headers,
                    false => read.multi_value_headers,
                });
                event.body = text(read.body, read.is_base64_encoded);
                event.http_method = read.http_method;
                event.request_context.resource_path = read.request_context.resource_path;
                LambdaRequest::ApiGatewayV1(event)
            }
            Ok(LambdaRequest::ApiGatewayV2(read)) => {
                let mut event = ApiGatewayV2httpRequest::default();
                event.headers = headers(read.headers);
                event.body = text(read.body, read.is_base64_encoded);
                event.request_context.http = read.request_context.http;
                LambdaRequest::ApiGatewayV2(event)
            }
            _ => {
                let mut event = ApiGatewayProxyRequest::default();
                event.http_method = Method::POST;
                LambdaRequest::ApiGatewayV1(event)
            }
        }))
    }
}

fn headers(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::HOST);
    headers.remove("x-forwarded-proto");
    headers
}

/// The text of a body. Invalid base64 is rejected as invalid JSON. A body that is too long in base64 is also too long as
/// text.
fn text(body: Option<String>, is_base64_encoded: bool) -> Option<String> {
    const NOT_JSON: &str = "no text";
    let body = body?;
    if !is_base64_encoded || body.len() > MAX_BASE64_BYTES {
        return Some(body);
    }
    let text = match STANDARD.decode(&body) {
        // Too long, also if it is not UTF-8. Its base64 is longer still.
        Ok(bytes) if bytes.len() > MAX_BODY_BYTES => Some(body),
        Ok(bytes) => String::from_utf8(bytes).ok(),
        Err(_) => None,
    };
    // Not an empty text, which can be an empty object.
    text.or_else(|| Some(NOT_JSON.to_owned()))
}

/// The answer. A type of its own, as `lambda_http` converts the body of a [`Response`] from any character encoding,
/// with tables of 140 KB.
pub struct Answer(Response<Body>);

impl IntoResponse for Answer {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
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

/// The status of each kind of error: the only place that knows both.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

const ANY_ORIGIN: &str = "*";

/// Whether a browser sends this text as `Origin`: lower case, without a path or a scheme's own port. Apps have schemes
/// of their own, such as `capacitor://localhost`.
fn is_origin(text: &str) -> bool {
    let serialize = |url: Url| match url.origin() {
        Origin::Tuple(..) if !["http", "https"].contains(&url.scheme()) => None,
        Origin::Opaque(_) => {
            let port = url.port().map(|port| format!(":{port}"));
            let (scheme, host) = (url.scheme(), url.host_str()?);
            Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
        }
        origin => Some(origin.ascii_serialization()),
    };
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b".-:/[]".contains(&c);
    let ends_host = |c: char| c.is_ascii_alphanumeric() || c == ']';
    text.bytes().all(is_plain)
        && text.ends_with(ends_host)
        && !text.contains(".:")
        && Url::parse(text).ok().and_then(serialize).as_deref() == Some(text)
}

#[cfg(test)]
mod tests;
