//! What becomes of Cognito's errors, over every operation that a route calls: the whole way from the HTTP response
//! through the SDK's parser to the error that the caller gets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use aws_smithy_http_client::test_util::NeverClient;
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::Mode;
use crate::error::{Error, Kind, Name, Result};
use crate::exceptions::EXCEPTIONS;
use crate::http::{AnyRoute, status};
use crate::testing::{MODES, access_token, bodies, over};
use crate::{ROUTES, trigger_error};

/// The errors that any AWS service can answer, modelled or not.
const ANY_SERVICE: [&str; 5] = [
    "AccessDeniedException",
    "InternalFailure",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
];

/// An operation of Cognito's, as a route calls it.
#[derive(Debug)]
struct Operation {
    /// Its place in [`ROUTES`].
    route: usize,
    mode: Mode,
    /// The body for the route.
    body: String,
    /// How many operations the route calls before it.
    before: usize,
    /// Such as `SignUp`.
    name: &'static str,
}

/// Every operation of every route in each mode, found by running it.
async fn operations() -> Vec<Operation> {
    let mut operations = Vec::<Operation>::new();
    for mode in MODES {
        for route in 0..ROUTES.len() {
            let mut taken = false;
            for body in bodies() {
                let (aws, body) = (FakeAws::default(), body.to_string());
                let outcome = run(&*over(aws.http_client(), route, mode), &body).await;
                taken |= outcome.is_ok();
                for (before, call) in aws.calls().into_iter().enumerate() {
                    let is_same = |known: &Operation| {
                        (known.route, known.mode, known.name) == (route, mode, &*call.operation)
                    };
                    if !operations.iter().any(is_same) {
                        operations.push(Operation {
                            route,
                            mode,
                            body: body.clone(),
                            before,
                            name: call.operation.leak(),
                        });
                    }
                }
            }
            let name = over(NeverClient::new(), route, mode).name();
            assert!(taken, "testing::bodies lacks a field of {name}");
        }
    }
    operations
}

/// The route's answer to this body of a signed-in user.
async fn run(route: &dyn AnyRoute, body: &str) -> Result<Value> {
    route.run(&access_token(), body.as_bytes()).await
}

impl Operation {
    /// The answer to the caller if AWS answers this operation so.
    async fn error(&self, reply: &Reply) -> (Error, usize) {
        let aws = FakeAws::with(self.name, reply.clone());
        let route = over(aws.http_client(), self.route, self.mode);
        let error = run(&*route, &self.body).await.unwrap_err();
        (error, aws.bodies(self.name).len())
    }

    async fn exception(&self, status: u16, code: &str, message: &str) -> (Error, usize) {
        let body = json!({ "__type": code, "message": message });
        self.error(&Reply::json(status, &body)).await
    }

    /// What becomes of an exception of this kind.
    fn kind(&self, code: &str, kind: Kind) -> Kind {
        match (kind, self.name) {
            // The password is changed: whatever it is, the caller can end the sessions later.
            (_, "GlobalSignOut") if self.before > 0 => Kind::Unavailable,
            (Kind::Internal | Kind::Unavailable, _) => kind,
            _ if self.is_admin() => Kind::Unavailable,
            // The token's user is no more.
            (_, "GetUser" | "ChangePassword" | "DeleteUser") if code == "UserNotFoundException" => {
                Kind::Unauthenticated
            }
            _ => kind,
        }
    }

    /// Whether the function calls it without a caller's request.
    fn is_admin(&self) -> bool {
        self.name.starts_with("Admin")
    }

    /// The attempts that a passing failure gets: three if a retry is harmless, otherwise one.
    fn attempts(&self) -> usize {
        match (self.name, self.mode) {
            ("AdminAddUserToGroup" | "GetTokensFromRefreshToken" | "GetUser", _) => 3,
            // A retry in the other mode would ask for a second code.
            ("InitiateAuth", Mode::UserPassword) => 3,
            _ => 1,
        }
    }

    /// The exceptions of this operation as they are on the wire, read out of the SDK's own source: its error enums are
    /// open to additions and can't be matched in full.
    fn exceptions(&self) -> Vec<String> {
        let words = self.name.char_indices().map(|(index, letter)| {
            let between = if index > 0 && letter.is_uppercase() {
                "_"
            } else {
                ""
            };
            format!("{between}{}", letter.to_lowercase())
        });
        let mut codes = wire_codes("cognitoidentityprovider", &words.collect::<String>());
        codes.extend(ANY_SERVICE.map(str::to_owned));
        codes
    }
}

/// The error codes of an operation that the SDK's parser knows.
fn wire_codes(service: &str, operation: &str) -> Vec<String> {
    let sdk = sdk_source(service);
    let read = |file: String| std::fs::read_to_string(sdk.join(file)).unwrap_or_default();
    let shape = read(format!("protocol_serde/shape_{operation}.rs"));
    // After them come the fields of a success.
    let (shape, _) = shape.split_once("_http_response(").unwrap_or_default();
    let source = read(format!("operation/{operation}.rs")) + shape;
    // Such as `"ForbiddenException" => crate::operation::…`.
    let codes = source.lines().filter_map(|line| {
        let (code, _) = line.trim().strip_prefix('"')?.split_once("\" =>")?;
        Some(code.to_owned())
    });
    let codes: Vec<String> = codes.collect();
    assert!(
        !codes.is_empty(),
        "{operation}: the SDK's source has another form than this test reads"
    );
    codes
}

fn kind_of(code: &str) -> Kind {
    let row = EXCEPTIONS.iter().find(|(name, _)| *name == code);
    row.unwrap_or_else(|| panic!("exceptions.rs has no row for {code}"))
        .1
}

/// The folder with the source of this service's SDK.
fn sdk_source(service: &str) -> PathBuf {
    static PACKAGES: LazyLock<Value> = LazyLock::new(|| {
        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            // What other platforms would need may never have been fetched.
            .args(["--filter-platform", "host-tuple"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let mut metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
        metadata["packages"].take()
    });
    let name = format!("aws-sdk-{service}");
    let mut packages = PACKAGES.as_array().unwrap().iter();
    let sdk = packages.find(|package| package["name"] == *name).unwrap();
    Path::new(sdk["manifest_path"].as_str().unwrap()).with_file_name("src")
}

#[test]
fn every_error_code_of_the_other_services_has_a_kind() {
    for (service, operation) in [
        ("dynamodb", "get_item"),
        ("dynamodb", "update_item"),
        ("sesv2", "send_email"),
        ("sns", "publish"),
    ] {
        for code in wire_codes(service, operation) {
            // These count the limits.
            if code != "ConditionalCheckFailedException" {
                kind_of(&code);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_exception_passes_unchanged_or_not_at_all() {
    const TEXT: &str = "\u{201e}Ni\u{f1}o\u{201c} <b>\"\\\n";
    for operation in operations().await {
        for code in operation.exceptions() {
            let what = format!("{operation:?} {code}");
            let http_status = match code.starts_with("Internal") || code.starts_with("Service") {
                true => 500,
                false => 400,
            };
            let (error, attempts) = operation.exception(http_status, &code, TEXT).await;
            let kind = operation.kind(&code, kind_of(&code));
            assert_eq!(error.kind, kind, "{what}");
            let passing = matches!(kind, Kind::Unavailable | Kind::Throttled);
            match &*code {
                "InternalErrorException" | "TooManyRequestsException" => {
                    assert_eq!(attempts, operation.attempts(), "{what}");
                }
                _ => assert!(passing || attempts == 1, "{what}"),
            }
            let cause = error.cause.unwrap_or_default();
            match kind {
                Kind::Internal => assert!(cause.ends_with(&format!("{code}: {TEXT}")), "{what}"),
                Kind::Unavailable => assert!(cause.contains(&*code), "{what}: {cause}"),
                _ if kind != kind_of(&code) => {
                    assert_eq!(error.message, "Invalid Access Token", "{what}");
                }
                _ => assert_eq!((&*error.name, &*error.message), (&*code, TEXT), "{what}"),
            }
            let retry_after = match (kind, &*code) {
                (Kind::Unavailable, _) => Some(5),
                (_, "LimitExceededException" | "TooManyFailedAttemptsException") => Some(900),
                (Kind::Throttled, _) => Some(1),
                _ => None,
            };
            assert_eq!(error.retry_after, retry_after, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_trigger_is_not_the_callers_fault() {
    let encoded = |error: &Error| format!("X failed with error {}.", trigger_error::encode(error));
    for (report, kind) in [
        (encoded(&Error::internal("why")), Some(Kind::Internal)),
        (encoded(&Error::unavailable("why")), Some(Kind::Unavailable)),
        (
            "X failed with error RequestId: 8f507cfc Error: Runtime exited with error: exit status 1.".to_owned(),
            Some(Kind::Internal),
        ),
        ("X failed with error Not today..".to_owned(), None),
    ] {
        for operation in operations().await {
            let codes = operation.exceptions().into_iter();
            for code in codes.filter(|code| code.contains("Lambda")) {
                let (error, _) = operation.exception(400, &code, &report).await;
                // A trigger's own text has the kind of Cognito's exception.
                let kind = operation.kind(&code, kind.unwrap_or(kind_of(&code)));
                assert_eq!(error.kind, kind, "{operation:?} {code}: {report}");
                assert_eq!(error.message == report, kind == Kind::Invalid);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_exceptions_hide_their_text() {
    for (http_status, kind) in [
        (400, Kind::Internal),
        (403, Kind::Internal),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
    ] {
        for operation in operations().await {
            let secret = "of user@example.com";
            let (error, _) = operation
                .exception(http_status, "ExceptionOfTomorrow", secret)
                .await;
            let kind = operation.kind("ExceptionOfTomorrow", kind);
            assert_eq!(error.kind, kind, "{operation:?} {http_status}");
            let cause = format!(
                "ExceptionOfTomorrow (status {http_status}) is not an exception this API knows"
            );
            assert!(error.cause.unwrap().ends_with(&cause));
            assert!(!error.message.contains("user@example.com"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unusable_responses_are_unavailable() {
    const WITH_CONTENT: [&str; 5] = [
        "SignUp",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "GetTokensFromRefreshToken",
        "GetUser",
    ];
    for (reply, is_repeated) in [
        (Reply::text(500, ""), true),
        (Reply::text(502, "<html>Bad gateway</html>"), true),
        (Reply::text(504, "{}"), true),
        (Reply::lost(), true),
        // No exception code, no JSON, JSON that breaks off, and no content.
        (Reply::text(400, r#"{"message":"no"}"#), false),
        (Reply::text(200, "<html></html>"), false),
        (Reply::text(200, r#"{"AuthenticationResult":{"#), false),
        (Reply::text(200, "{}"), false),
    ] {
        for operation in operations().await {
            let is_success = reply.status == 200 && reply.body.as_deref() == Some("{}");
            if is_success && !WITH_CONTENT.contains(&operation.name) {
                continue;
            }
            let (error, attempts) = operation.error(&reply).await;
            let what = format!("{operation:?}: {reply:?}");
            assert_eq!(error.kind, Kind::Unavailable, "{what}");
            assert_eq!(error.retry_after, Some(5), "{what}");
            assert!(error.cause.is_some(), "{what}");
            let expected = if is_repeated { operation.attempts() } else { 1 };
            assert_eq!(attempts, expected, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cognito_that_never_answers_is_given_up_in_time() {
    for operation in operations()
        .await
        .iter()
        .filter(|operation| operation.before == 0)
    {
        let never = NeverClient::new();
        let route = over(never.clone(), operation.route, operation.mode);
        let started = Instant::now();
        let error = run(&*route, &operation.body).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{operation:?}");
        assert_eq!(never.num_calls(), operation.attempts(), "{operation:?}");
        let waited = started.elapsed();
        // API Gateway gives up after 29 s.
        assert!(
            waited < Duration::from_millis(12_100),
            "{operation:?}: {waited:?}"
        );
    }
}

#[tokio::test]
async fn only_what_iam_guards_is_signed() {
    for operation in operations().await {
        let aws = FakeAws::default();
        let route = over(aws.http_client(), operation.route, operation.mode);
        run(&*route, &operation.body).await.unwrap();
        for call in aws.calls() {
            assert_eq!(call.signed, call.operation.starts_with("Admin"), "{call:?}");
            assert!(call.uri.starts_with("https://cognito-idp."), "{call:?}");
        }
    }
}

/// The errors that only API Gateway answers: the template has their texts.
const GATEWAYS: [(u16, &str); 2] = [(400, "BadRequestException"), (404, "NotFoundException")];

type Errors = BTreeSet<(u16, String)>;

#[tokio::test]
async fn the_specification_has_every_error_of_every_route() {
    let gateways = GATEWAYS.map(|(status, name)| (status, name.to_owned()));
    let names = Name::all().map(|name| (status(name.kind()).as_u16(), name.as_str().to_owned()));
    let ours: Errors = names.chain(gateways).collect();
    let mut cognitos = BTreeMap::<String, Errors>::new();
    for operation in operations().await {
        let route = over(NeverClient::new(), operation.route, operation.mode);
        let errors = cognitos.entry(camel_case(route.name())).or_default();
        if !operation.is_admin() {
            let codes = operation.exceptions().into_iter();
            let codes = codes.map(|code| (status(kind_of(&code)).as_u16(), code));
            errors.extend(codes.filter(|(status, _)| *status < 500));
        }
    }
    let mut specified = Errors::new();
    for (operation, errors) in specified_errors() {
        // A route without a call to Cognito has none of its errors.
        let cognitos = cognitos.get(&operation).into_iter().flatten();
        let known = ours.iter().chain(cognitos).cloned().collect();
        let unknown: Vec<_> = errors.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "openapi.yaml: {operation} has errors that neither Cognito nor this API answers with: {unknown:?}"
        );
        specified.extend(errors);
    }
    let mut expected: Errors = cognitos.into_values().flatten().chain(ours).collect();
    // Of a request that is no `POST`, and so of no operation.
    expected.remove(&(405, "MethodNotAllowedException".to_owned()));
    let missing: Vec<_> = expected.difference(&specified).collect();
    assert!(
        missing.is_empty(),
        "openapi.yaml has no example of {missing:?}"
    );
}

/// An operation's id in `openapi.yaml`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |id, word| {
        id + &word[..1].to_uppercase() + &word[1..]
    })
}

/// The errors that each operation of `openapi.yaml` has an example of.
fn specified_errors() -> BTreeMap<String, Errors> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.yaml");
    let document: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let paths = document["paths"].as_object().unwrap().values();
    paths
        .map(|path| {
            let operation = &path["post"];
            let mut errors = Errors::new();
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status == "200" {
                    continue;
                }
                let body = resolved(response)["content"]["application/json"].clone();
                for (name, example) in body["examples"].as_object().unwrap() {
                    let error_type = &resolved(example)["value"]["error"]["type"];
                    assert_eq!(error_type, name, "{operation}");
                    errors.insert((status.parse().unwrap(), name.clone()));
                }
            }
            (
                operation["operationId"].as_str().unwrap().to_owned(),
                errors,
            )
        })
        .collect()
}
