//! What becomes of Cognito's refusals and failures, over every operation that is called: the whole way
//! from the HTTP answer through the SDK's parser to the error that the caller is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_http_client::test_util::{NeverClient, capture_request};
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::clients::UserPool;
use crate::config::{Env, Mode};
use crate::error::{Error, Kind, Result};
use crate::http::status;
use crate::testing::{Says, answer, env, exception, lost_answer, parsed, pool, pool_over, seen};
use crate::{
    password_change, password_forgot, sign_in, sign_up, sign_up_confirm, sign_up_resend_code,
    token, token_refresh, token_revoke,
};

type Outcome = Pin<Box<dyn Future<Output = Result<Value>>>>;

/// An operation of Cognito's, as the function calls it that has a use for it.
struct Operation {
    name: &'static str,
    /// The attempts that a passing failure gets: three where a repeat is harmless, otherwise one.
    attempts: usize,
    /// The exceptions that the SDK models for it, beside [`COMMON`].
    exceptions: &'static [&'static [&'static str]],
    /// Cognito, answering this operation so.
    rule: fn(Says) -> Rule,
    /// Cognito, answering this operation with an exception.
    refusal: fn(u16, &str, &str) -> Rule,
    run: fn(UserPool) -> Outcome,
}

const COMMON: &[&str] = &[
    "InternalErrorException",
    "InvalidParameterException",
    "NotAuthorizedException",
    "OperationNotEnabledException",
    "ResourceNotFoundException",
    "TooManyRequestsException",
];
/// Of operations that are open to the public.
const WEB_ACL: &[&str] = &["ForbiddenException"];
/// Of operations that call triggers.
const TRIGGERS: &[&str] = &[
    "InvalidLambdaResponseException",
    "UnexpectedLambdaException",
    "UserLambdaValidationException",
];
/// Of operations that send something.
const SENDERS: &[&str] = &[
    "InvalidEmailRoleAccessPolicyException",
    "InvalidSmsRoleAccessPolicyException",
    "InvalidSmsRoleTrustRelationshipException",
];

/// The operation that no caller asked for: its refusals are no caller's affair, but a failure that may pass.
const OWN_AFFAIR: &str = "admin_add_user_to_group";

/// The status of every exception, whichever operation answers with it.
const STATUSES: [(&str, u16); 36] = [
    ("CodeMismatchException", 400),
    ("ExpiredCodeException", 400),
    ("InvalidParameterException", 400),
    ("InvalidPasswordException", 400),
    ("PasswordHistoryPolicyViolationException", 400),
    ("UnsupportedOperationException", 400),
    ("UserLambdaValidationException", 400),
    ("NotAuthorizedException", 401),
    ("RefreshTokenReuseException", 401),
    ("ForbiddenException", 403),
    ("PasswordResetRequiredException", 403),
    ("UserNotConfirmedException", 403),
    ("UserNotFoundException", 404),
    ("AliasExistsException", 409),
    ("UsernameExistsException", 409),
    ("LimitExceededException", 429),
    ("TooManyFailedAttemptsException", 429),
    ("TooManyRequestsException", 429),
    ("FeatureUnavailableInTierException", 500),
    ("InvalidEmailRoleAccessPolicyException", 500),
    ("InvalidLambdaResponseException", 500),
    ("InvalidSmsRoleAccessPolicyException", 500),
    ("InvalidSmsRoleTrustRelationshipException", 500),
    ("InvalidUserPoolConfigurationException", 500),
    ("MFAMethodNotFoundException", 500),
    ("OperationNotEnabledException", 500),
    ("ResourceNotFoundException", 500),
    ("SoftwareTokenMFANotFoundException", 500),
    ("UnexpectedLambdaException", 500),
    ("CodeDeliveryFailureException", 503),
    ("InternalErrorException", 503),
    // What any AWS service can answer, modelled or not.
    ("ThrottlingException", 429),
    ("AccessDeniedException", 500),
    ("UnrecognizedClientException", 500),
    ("InternalFailure", 503),
    ("ServiceUnavailable", 503),
];

macro_rules! operation {
    ($name:ident, $attempts:literal, $exceptions:expr, $run:expr) => {
        Operation {
            name: stringify!($name),
            attempts: $attempts,
            exceptions: $exceptions,
            rule: |answer| mock!(Client::$name).then_http_response(answer),
            refusal: |status, code, message| {
                let body = json!({ "__type": code, "message": message }).to_string();
                mock!(Client::$name).then_http_response(move || answer(status, &body))
            },
            run: |pool| Box::pin(async move { $run(&pool).await }),
        }
    };
}

fn operations() -> [Operation; 11] {
    [
        operation!(
            sign_up,
            1,
            &[
                WEB_ACL,
                TRIGGERS,
                SENDERS,
                &[
                    "CodeDeliveryFailureException",
                    "InvalidPasswordException",
                    "LimitExceededException",
                    "UsernameExistsException",
                ],
            ],
            async |pool: &UserPool| {
                let rules = sign_up::Rules::from_env(Env::new(&env(&[
                    ("MODE", "UserPassword"),
                    ("ROLES", "User"),
                    ("EMAIL_SIGN_UP_ROLES", "User"),
                ])))
                .unwrap();
                let body = json!({ "username": "user@example.com", "password": "p", "userAttributes": { "role": "User" } });
                let request = parsed(&body, |fields| sign_up::Request::parse(fields, &rules))?;
                sign_up::sign_up(pool, "us-east-1_pool", request)
                    .await
                    .map(seen)
            }
        ),
        operation!(
            admin_add_user_to_group,
            3,
            &[&["UserNotFoundException"]],
            async |pool: &UserPool| {
                sign_up::add_to_group(&pool.cognito, "us-east-1_pool", "the-sub", "User")
                    .await
                    .map(seen)
            }
        ),
        operation!(
            confirm_sign_up,
            1,
            &[
                WEB_ACL,
                TRIGGERS,
                &[
                    "AliasExistsException",
                    "CodeMismatchException",
                    "ExpiredCodeException",
                    "LimitExceededException",
                    "TooManyFailedAttemptsException",
                    "UserNotFoundException",
                ],
            ],
            async |pool: &UserPool| {
                let body = json!({ "username": "user@example.com", "confirmationCode": "1" });
                let request = parsed(&body, sign_up_confirm::Request::parse)?;
                sign_up_confirm::sign_up_confirm(pool, request)
                    .await
                    .map(seen)
            }
        ),
        operation!(
            resend_confirmation_code,
            1,
            CODE_EXCEPTIONS,
            async |pool: &UserPool| {
                let body = json!({ "username": "user@example.com" });
                let request = parsed(&body, sign_up_resend_code::Request::parse)?;
                sign_up_resend_code::sign_up_resend_code(pool, request)
                    .await
                    .map(seen)
            }
        ),
        operation!(
            initiate_auth,
            3,
            SIGN_IN_EXCEPTIONS,
            async |pool: &UserPool| {
                let body = json!({ "username": "user@example.com", "password": "p" });
                sign_in(pool, body, Mode::UserPassword).await
            }
        ),
        // A repeat would ask for a second code.
        operation!(
            initiate_auth,
            1,
            SIGN_IN_EXCEPTIONS,
            async |pool: &UserPool| {
                let body = json!({ "username": "+34999999999" });
                sign_in(pool, body, Mode::Passwordless).await
            }
        ),
        operation!(
            respond_to_auth_challenge,
            1,
            &[
                WEB_ACL,
                TRIGGERS,
                SENDERS,
                &[
                    "AliasExistsException",
                    "CodeMismatchException",
                    "ExpiredCodeException",
                    "InvalidPasswordException",
                    "InvalidUserPoolConfigurationException",
                    "MFAMethodNotFoundException",
                    "PasswordHistoryPolicyViolationException",
                    "PasswordResetRequiredException",
                    "SoftwareTokenMFANotFoundException",
                    "UserNotConfirmedException",
                    "UserNotFoundException",
                ],
            ],
            async |pool: &UserPool| {
                let body =
                    json!({ "username": "+34999999999", "session": "s", "confirmationCode": "1" });
                let request = parsed(&body, token::Request::parse)?;
                token::token(pool, request).await.map(seen)
            }
        ),
        operation!(
            get_tokens_from_refresh_token,
            3,
            &[
                WEB_ACL,
                TRIGGERS,
                &["RefreshTokenReuseException", "UserNotFoundException"],
            ],
            async |pool: &UserPool| {
                let request = parsed(
                    &json!({ "refreshToken": "r" }),
                    token_refresh::Request::parse,
                )?;
                token_refresh::token_refresh(pool, request).await.map(seen)
            }
        ),
        operation!(
            global_sign_out,
            1,
            &[
                WEB_ACL,
                &[
                    "PasswordResetRequiredException",
                    "UserNotConfirmedException"
                ],
            ],
            async |pool: &UserPool| {
                let request = parsed(
                    &json!({ "accessToken": "a.b.c" }),
                    token_revoke::Request::parse,
                )?;
                token_revoke::token_revoke(pool, request).await.map(seen)
            }
        ),
        operation!(
            forgot_password,
            1,
            CODE_EXCEPTIONS,
            async |pool: &UserPool| {
                let body = json!({ "username": "user@example.com" });
                let request = parsed(&body, password_forgot::Request::parse)?;
                password_forgot::password_forgot(pool, request)
                    .await
                    .map(seen)
            }
        ),
        operation!(
            confirm_forgot_password,
            1,
            &[
                WEB_ACL,
                TRIGGERS,
                &[
                    "CodeMismatchException",
                    "ExpiredCodeException",
                    "InvalidPasswordException",
                    "LimitExceededException",
                    "PasswordHistoryPolicyViolationException",
                    "TooManyFailedAttemptsException",
                    "UserNotConfirmedException",
                    "UserNotFoundException",
                ],
            ],
            async |pool: &UserPool| {
                let body = json!({ "username": "user@example.com", "password": "p", "confirmationCode": "1" });
                let request = parsed(&body, password_change::Request::parse)?;
                password_change::password_change(pool, request)
                    .await
                    .map(seen)
            }
        ),
    ]
}

const CODE_EXCEPTIONS: &[&[&str]] = &[
    WEB_ACL,
    TRIGGERS,
    SENDERS,
    &[
        "CodeDeliveryFailureException",
        "LimitExceededException",
        "UserNotFoundException",
    ],
];

const SIGN_IN_EXCEPTIONS: &[&[&str]] = &[
    WEB_ACL,
    TRIGGERS,
    SENDERS,
    &[
        "FeatureUnavailableInTierException",
        "InvalidUserPoolConfigurationException",
        "PasswordResetRequiredException",
        "UnsupportedOperationException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    ],
];

async fn sign_in(pool: &UserPool, body: Value, mode: Mode) -> Result<Value> {
    let request = parsed(&body, |fields| sign_in::Request::parse(fields, mode))?;
    sign_in::sign_in(pool, request).await.map(seen)
}

impl Operation {
    /// The exceptions of this operation, those of any AWS service among them.
    fn exceptions(&self) -> impl Iterator<Item = &'static str> {
        const ANY_SERVICE: &[&str] = &[
            "AccessDeniedException",
            "InternalFailure",
            "ServiceUnavailable",
            "ThrottlingException",
            "UnrecognizedClientException",
        ];
        [COMMON, ANY_SERVICE]
            .into_iter()
            .chain(self.exceptions.iter().copied())
            .flatten()
            .copied()
    }

    async fn error(&self, rule: &Rule) -> Error {
        (self.run)(pool([rule])).await.unwrap_err()
    }
}

/// Read out of the SDK's own source, as its error enums are open to additions and can't be matched in full.
#[test]
fn the_table_has_every_exception_that_the_sdk_models_and_no_other() {
    let sdk = sdk_source();
    for operation in operations() {
        let source = sdk.join(format!("operation/{}.rs", operation.name));
        let source = std::fs::read_to_string(source).unwrap();
        let (_, variants) = source.split_once("\npub enum ").unwrap();
        let (variants, _) = variants.split_once("\n}").unwrap();
        // Such as `    MfaMethodNotFoundException(crate::types::error::MfaMethodNotFoundException),`.
        let modelled: BTreeSet<String> = variants
            .lines()
            .filter_map(|line| line.trim().split_once("(crate::types::error::"))
            .map(|(variant, _)| variant.to_lowercase())
            .filter(|variant| variant != "unhandled")
            .collect();
        let listed = [COMMON]
            .into_iter()
            .chain(operation.exceptions.iter().copied());
        let listed: BTreeSet<String> = listed.flatten().map(|code| code.to_lowercase()).collect();
        assert_eq!(modelled, listed, "{}", operation.name);
    }
}

/// Where cargo has the source of the SDK that this build uses.
fn sdk_source() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // What other platforms would need may never have been fetched.
        .args(["--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sdk = packages
        .iter()
        .find(|package| package["name"] == "aws-sdk-cognitoidentityprovider")
        .unwrap();
    Path::new(sdk["manifest_path"].as_str().unwrap()).with_file_name("src")
}

#[tokio::test(start_paused = true)]
async fn every_exception_of_every_operation_has_its_status_and_goes_through_unchanged_or_not_at_all()
 {
    let mut unused: Vec<&str> = STATUSES.iter().map(|(code, _)| *code).collect();
    for operation in operations() {
        for code in operation.exceptions() {
            let what = format!("{} {code}", operation.name);
            let row = STATUSES.iter().find(|(name, _)| *name == code);
            let (_, listed) = *row.unwrap_or_else(|| panic!("{what} has no row"));
            let expected = match operation.name {
                OWN_AFFAIR if listed < 500 => 503,
                _ => listed,
            };
            unused.retain(|name| *name != code);
            let http_status = if code.starts_with("Internal") || code.starts_with("Service") {
                500
            } else {
                400
            };
            let rule = (operation.refusal)(http_status, code, "A text of Cognito's.");
            let error = operation.error(&rule).await;
            assert_eq!(status(error.kind), expected, "{what}");
            let (name, message, cause, retry_after) = match (expected, code) {
                (500, _) => (
                    "InternalErrorException",
                    "Something went wrong on our side. Please try again later.",
                    Some(format!("{code}: A text of Cognito's.")),
                    None,
                ),
                (503, _) => (
                    "ServiceUnavailableException",
                    "The service is not available at the moment. Please try again in a few seconds.",
                    Some(code.to_owned()),
                    Some(5),
                ),
                (429, "LimitExceededException" | "TooManyFailedAttemptsException") => {
                    (code, "A text of Cognito's.", None, Some(900))
                }
                (429, _) => (code, "A text of Cognito's.", None, Some(1)),
                _ => (code, "A text of Cognito's.", None, None),
            };
            assert_eq!((&*error.name, &*error.message), (name, message), "{what}");
            assert_eq!(error.cause, cause, "{what}");
            assert_eq!(error.retry_after, retry_after, "{what}");
            assert!(error.session.is_none(), "{what}");
        }
    }
    assert!(unused.is_empty(), "no operation answers with {unused:?}");
}

#[tokio::test]
async fn a_trigger_that_fails_is_no_refusal_whichever_operation_called_it() {
    for (text, expected) in [
        (
            "PreSignUp failed with error InternalErrorException: Something went wrong..",
            500,
        ),
        (
            "CustomMessage failed with error ServiceUnavailableException: Not now. Retry after 5 s..",
            503,
        ),
        (
            "PreSignUp failed with error RequestId: 8f507cfc Error: Runtime exited with error: exit status 1.",
            500,
        ),
        ("PreAuthentication failed with error Not today..", 400),
    ] {
        for operation in operations()
            .into_iter()
            .filter(|operation| operation.exceptions.contains(&TRIGGERS))
        {
            let rule = (operation.refusal)(400, "UserLambdaValidationException", text);
            let error = operation.error(&rule).await;
            assert_eq!(status(error.kind), expected, "{}: {text}", operation.name);
            assert_eq!(
                &*error.message == text,
                expected == 400,
                "{}: {text}",
                operation.name
            );
        }
    }
}

#[tokio::test]
async fn cognitos_texts_go_through_to_the_letter() {
    let texts = [
        ("NotAuthorizedException", "Incorrect username or password."),
        ("NotAuthorizedException", "Incorrect username or password"),
        ("NotAuthorizedException", "Password attempts exceeded"),
        ("NotAuthorizedException", "Invalid Refresh Token"),
        ("NotAuthorizedException", "Invalid Access Token"),
        ("UserNotConfirmedException", "User is not confirmed."),
        ("UserNotConfirmedException", "User is not confirmed"),
        (
            "UserNotFoundException",
            "Username/client id combination not found.",
        ),
        (
            "CodeMismatchException",
            "Invalid verification code provided, please try again.",
        ),
        (
            "InvalidPasswordException",
            "Password did not conform with policy: Password not long enough",
        ),
        (
            "UserLambdaValidationException",
            "PreAuthentication failed with error Not today..",
        ),
        (
            "InvalidParameterException",
            "\u{201e}Ni\u{f1}o\u{201c} <b>\"\\\n",
        ),
    ];
    for (code, text) in texts {
        for operation in operations()
            .into_iter()
            .filter(|operation| operation.name != OWN_AFFAIR)
        {
            let error = operation.error(&(operation.refusal)(400, code, text)).await;
            assert_eq!(
                (&*error.name, &*error.message),
                (code, text),
                "{}",
                operation.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exception_that_nobody_knows_is_our_fault_or_passes_and_its_text_is_not_told() {
    for (http_status, kind) in [
        (400, Kind::Internal),
        (403, Kind::Internal),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
    ] {
        for operation in operations() {
            let rule =
                (operation.refusal)(http_status, "ExceptionOfTomorrow", "of user@example.com");
            let error = operation.error(&rule).await;
            assert_eq!(error.kind, kind, "{} {http_status}", operation.name);
            assert_eq!(
                error.cause.unwrap(),
                format!(
                    "ExceptionOfTomorrow (status {http_status}) is not an exception this API knows"
                )
            );
            assert!(!error.message.contains("user@example.com"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_exception_and_no_success_is_unavailable() {
    let answers: [(&str, Says); 7] = [
        ("a failure without a body", || answer(500, "")),
        ("a gateway's page", || {
            answer(502, "<html>Bad gateway</html>")
        }),
        ("a gateway's timeout", || answer(504, "{}")),
        ("a refusal without a code", || {
            answer(400, r#"{"message":"no"}"#)
        }),
        ("a success that is not JSON", || {
            answer(200, "<html></html>")
        }),
        ("a success that breaks off", || {
            answer(200, r#"{"AuthenticationResult":{"#)
        }),
        ("an answer that is lost", lost_answer),
    ];
    for (why, answer) in answers {
        for operation in operations() {
            let rule = (operation.rule)(answer);
            let error = operation.error(&rule).await;
            assert_eq!(
                error.name, "ServiceUnavailableException",
                "{} {why}",
                operation.name
            );
            assert_eq!(error.retry_after, Some(5));
            assert!(error.cause.is_some(), "{} {why}", operation.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_harmless_is_repeated_and_a_refusal_never() {
    let passing: [(&str, Says); 5] = [
        ("a failure", || answer(500, "{}")),
        ("out of service", || answer(503, "")),
        ("an internal error", || {
            answer(500, r#"{"__type":"InternalErrorException"}"#)
        }),
        ("too many requests", || {
            exception("TooManyRequestsException", "")
        }),
        ("a lost answer", lost_answer),
    ];
    for operation in operations() {
        for (why, answer) in passing {
            let rule = (operation.rule)(answer);
            operation.error(&rule).await;
            assert_eq!(
                rule.num_calls(),
                operation.attempts,
                "{} {why}",
                operation.name
            );
        }
        for (code, _) in STATUSES.iter().filter(|(_, status)| *status < 429) {
            let rule = (operation.refusal)(400, code, "");
            operation.error(&rule).await;
            assert_eq!(rule.num_calls(), 1, "{} {code}", operation.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cognito_that_never_answers_is_given_up_in_time() {
    for operation in operations() {
        let never = NeverClient::new();
        let started = Instant::now();
        let error = (operation.run)(pool_over(never.clone())).await.unwrap_err();
        assert_eq!(
            error.name, "ServiceUnavailableException",
            "{}",
            operation.name
        );
        assert_eq!(never.num_calls(), operation.attempts, "{}", operation.name);
        // The trigger that adds the group is given up by Cognito after 5 s, a route by API Gateway after 29.
        let limit = match operation.name {
            OWN_AFFAIR => Duration::from_millis(4500),
            _ => Duration::from_millis(12_100),
        };
        let waited = started.elapsed();
        assert!(waited < limit, "{}: {waited:?}", operation.name);
    }
}

#[tokio::test]
async fn only_what_iam_guards_is_signed() {
    for operation in operations() {
        let refused = http::Response::builder()
            .status(400)
            .body("{}".into())
            .unwrap();
        let (http, sent) = capture_request(Some(refused));
        let _ = (operation.run)(pool_over(http)).await;
        let sent = sent.expect_request();
        let signed = sent.headers().get("authorization").is_some();
        let guarded = operation.name.starts_with("admin_");
        assert_eq!(signed, guarded, "{}", operation.name);
        assert_eq!(sent.uri(), "https://cognito-idp.us-east-1.amazonaws.com/");
    }
}

/// The operations of `openapi.yaml` and of Cognito's behind them.
const ROUTES: [(&str, &str); 9] = [
    ("signUp", "sign_up"),
    ("signUpConfirm", "confirm_sign_up"),
    ("signUpResendCode", "resend_confirmation_code"),
    ("signIn", "initiate_auth"),
    ("token", "respond_to_auth_challenge"),
    ("tokenRefresh", "get_tokens_from_refresh_token"),
    ("tokenRevoke", "global_sign_out"),
    ("passwordForgot", "forgot_password"),
    ("passwordChange", "confirm_forgot_password"),
];

/// What API Gateway answers itself and no function does: the template has their texts.
const GATEWAYS: [(u16, &str); 2] = [(400, "BadRequestException"), (404, "NotFoundException")];

type Errors = BTreeSet<(u16, String)>;

#[test]
fn the_specification_has_every_error_with_its_status_and_of_cognito_s_for_each_route_its_own() {
    let gateways = GATEWAYS.map(|(status, name)| (status, name.to_owned()));
    let ours: Errors = own_errors().into_iter().chain(gateways).collect();
    let cognitos: BTreeMap<&str, Errors> = operations()
        .iter()
        .map(|operation| (operation.name, cognitos_errors(operation)))
        .collect();

    let mut every = Errors::new();
    for (operation, errors) in specified_errors() {
        let (_, cognito) = ROUTES.iter().find(|(name, _)| *name == operation).unwrap();
        let unknown: Vec<_> = errors
            .iter()
            .filter(|error| !ours.contains(error) && !cognitos[cognito].contains(error))
            .collect();
        assert!(unknown.is_empty(), "{operation}: {unknown:?}");
        every.extend(errors);
    }
    let mut expected: Errors = cognitos.into_values().flatten().chain(ours).collect();
    // Of a request that is no `POST`, and so of no operation.
    expected.remove(&(405, "MethodNotAllowedException".to_owned()));
    assert_eq!(every, expected);
}

/// The exceptions of this operation that the caller is told of.
fn cognitos_errors(operation: &Operation) -> Errors {
    let told = |code: &&str| {
        STATUSES
            .iter()
            .find(|(name, status)| name == code && *status < 500)
    };
    let errors = operation.exceptions().filter_map(|code| told(&code));
    match operation.name {
        OWN_AFFAIR => Errors::new(),
        _ => errors
            .map(|(name, status)| (*status, (*name).to_owned()))
            .collect(),
    }
}

/// Every error that this crate makes itself, read out of its source: each `new(Kind::…, "…"` of it.
fn own_errors() -> Errors {
    let kinds = [
        Kind::Invalid,
        Kind::Unauthenticated,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::Conflict,
        Kind::TooLarge,
        Kind::Throttled,
        Kind::Internal,
        Kind::Unavailable,
    ];
    let errors_in = |source: String| -> Errors {
        let (source, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        let calls = source.split("::new(").skip(1).filter_map(|call| {
            let (kind, call) = call.trim_start().strip_prefix("Kind::")?.split_once(',')?;
            let (name, _) = call.trim_start().strip_prefix('"')?.split_once('"')?;
            let kind = kinds.into_iter().find(|known| format!("{known:?}") == kind);
            Some((status(kind.unwrap()), name.to_owned()))
        });
        calls.collect()
    };
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    sources
        .filter_map(|source| std::fs::read_to_string(source.unwrap().path()).ok())
        .flat_map(errors_in)
        .collect()
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
