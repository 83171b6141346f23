//! What can go wrong, without HTTP: [`crate::http`] gives each [`Kind`] its status.
//!
//! `name` and `message` are for the caller, `cause` is for the log. Cognito's own refusals go through
//! unchanged; what is our fault or our configuration's has one fixed public text. Decisions are made
//! on exception codes, never on their texts.

use std::borrow::Cow;
use std::error::Error as StdError;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use secrecy::SecretString;

use crate::trigger;

/// The result of everything that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of answer an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request can't be granted as it is, whoever sends it.
    Invalid,
    /// The credentials, tokens or codes are wrong or spent.
    Unauthenticated,
    /// Known, but not allowed to go on before something else is done.
    Forbidden,
    /// There is no such user.
    NotFound,
    /// The method is not `POST`.
    MethodNotAllowed,
    /// There is such a user already.
    Conflict,
    /// The body is larger than this API reads.
    TooLarge,
    /// Too many requests or attempts, ours or Cognito's count.
    Throttled,
    /// Our fault, or our configuration's.
    Internal,
    /// Something behind us is out of reach, too slow or failing.
    Unavailable,
}

/// A refusal or a failure, ready to be told to the caller.
#[derive(Debug)]
pub struct Error {
    /// The kind, for the status.
    pub kind: Kind,
    /// The exception's name, as the caller sees it.
    pub name: Cow<'static, str>,
    /// The text, as the caller sees it.
    pub message: Cow<'static, str>,
    /// The session to use next, after a wrong one-time code that was not the last one.
    pub session: Option<SecretString>,
    /// Seconds to wait before the next attempt.
    pub retry_after: Option<u32>,
    /// The cause, for the log only. Never holds anything of the request.
    pub cause: Option<String>,
}

/// What `429` asks to wait where Cognito throttled the account's rate of requests: its quotas are per second.
const THROTTLED_SECONDS: u32 = 1;
/// What `429` asks to wait where Cognito counted this user's attempts: its lock-outs end within 15 minutes.
const LIMIT_SECONDS: u32 = 900;
/// What `503` asks to wait.
const UNAVAILABLE_SECONDS: u32 = 5;

impl Error {
    /// An error with a text of ours.
    pub fn new(kind: Kind, name: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            name: name.into(),
            message: message.into(),
            session: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A value that is there and of the right type, but can't be accepted.
    pub fn invalid_parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, "InvalidParameterException", message)
    }

    /// A token or code that can't be good.
    pub fn not_authorized(message: &'static str) -> Self {
        Self::new(Kind::Unauthenticated, "NotAuthorizedException", message)
    }

    /// A challenge of Cognito's that this API has no route to answer.
    pub fn unsupported_challenge(name: &str) -> Self {
        Self::new(
            Kind::Forbidden,
            "UnsupportedChallengeException",
            format!("Cognito asks for the challenge {name}, which this API does not answer."),
        )
    }

    /// Our fault, or our configuration's: the caller gets a fixed text, the log gets the cause.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Kind::Internal,
                "InternalErrorException",
                "Something went wrong on our side. Please try again later.",
            )
        }
    }

    /// Something behind us did not answer, or not in time: the caller may try again.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self {
            retry_after: Some(UNAVAILABLE_SECONDS),
            cause: Some(cause.into()),
            ..Self::new(
                Kind::Unavailable,
                "ServiceUnavailableException",
                "The service is not available at the moment. Please try again in a few seconds.",
            )
        }
    }

    /// Too many requests by our own count; `retry_after` is in seconds.
    pub fn throttled(message: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(Kind::Throttled, "TooManyRequestsException", message)
        }
    }

    /// The same error with the session the caller is to use next.
    pub fn with_session(self, session: SecretString) -> Self {
        Self {
            session: Some(session),
            ..self
        }
    }

    /// Whether it is not the caller's affair but ours, or that of what is behind us.
    pub fn is_failure(&self) -> bool {
        matches!(self.kind, Kind::Internal | Kind::Unavailable)
    }

    /// What a failure means of a call that is our own affair, not the caller's: it is our fault, or it passes.
    pub fn from_dependency<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let error = Self::from(error);
        match error.is_failure() {
            true => error,
            false => Self::unavailable(error.name),
        }
    }

    /// What Cognito's exception `code` with `message` means, where the HTTP answer had `status`.
    fn from_exception(code: &str, message: Option<&str>, status: u16) -> Self {
        if code == "UserLambdaValidationException"
            && let Some(failure) = message.and_then(trigger::failure_in)
        {
            return failure;
        }
        let Some(kind) = kind_of(code) else {
            let cause = format!("{code} (status {status}) is not an exception this API knows");
            return if status >= 500 {
                Self::unavailable(cause)
            } else {
                Self::internal(cause)
            };
        };
        match kind {
            // The texts of these name our own resources and roles, nothing of the request.
            Kind::Internal => Self::internal(format!("{code}: {}", message.unwrap_or_default())),
            Kind::Unavailable => Self::unavailable(code),
            kind => Self {
                kind,
                name: code.to_owned().into(),
                message: message.unwrap_or(code).to_owned().into(),
                session: None,
                retry_after: match code {
                    "LimitExceededException" | "TooManyFailedAttemptsException" => {
                        Some(LIMIT_SECONDS)
                    }
                    _ if kind == Kind::Throttled => Some(THROTTLED_SECONDS),
                    _ => None,
                },
                cause: None,
            },
        }
    }
}

/// The kind of every exception that the operations called here model, plus those any AWS service can answer.
fn kind_of(code: &str) -> Option<Kind> {
    Some(match code {
        "CodeMismatchException"
        | "ExpiredCodeException"
        | "InvalidParameterException"
        | "InvalidPasswordException"
        | "PasswordHistoryPolicyViolationException"
        | "UnsupportedOperationException"
        | "UserLambdaValidationException" => Kind::Invalid,

        "NotAuthorizedException" | "RefreshTokenReuseException" => Kind::Unauthenticated,

        // `ForbiddenException` is a web ACL on the pool.
        "ForbiddenException" | "PasswordResetRequiredException" | "UserNotConfirmedException" => {
            Kind::Forbidden
        }

        "UserNotFoundException" => Kind::NotFound,

        "AliasExistsException" | "UsernameExistsException" => Kind::Conflict,

        "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "Throttled"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyFailedAttemptsException"
        | "TooManyRequestsException" => Kind::Throttled,

        "CodeDeliveryFailureException"
        | "InternalErrorException"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Kind::Unavailable,

        "AccessDeniedException"
        | "AuthorizationErrorException"
        | "ExpiredTokenException"
        | "FeatureUnavailableInTierException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidEmailRoleAccessPolicyException"
        | "InvalidLambdaResponseException"
        | "InvalidSignatureException"
        | "InvalidSmsRoleAccessPolicyException"
        | "InvalidSmsRoleTrustRelationshipException"
        | "InvalidUserPoolConfigurationException"
        | "MFAMethodNotFoundException"
        | "MissingAuthenticationTokenException"
        | "OperationNotEnabledException"
        | "ResourceNotFoundException"
        | "SoftwareTokenMFANotFoundException"
        | "UnexpectedLambdaException"
        | "UnrecognizedClientException"
        | "UserPoolAddOnNotEnabledException" => Kind::Internal,

        _ => return None,
    })
}

impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                match service.err().code() {
                    Some(code) => Self::from_exception(code, service.err().message(), status),
                    None => Self::unavailable(format!(
                        "an answer with status {status} and no exception code"
                    )),
                }
            }
            SdkError::ConstructionFailure(_) => Self::internal(chain(&error)),
            _ => Self::unavailable(chain(&error)),
        }
    }
}

/// The error's texts from the outside in: `SdkError` itself only says "dispatch failure".
fn chain(error: &dyn StdError) -> String {
    let mut texts = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        texts.push_str(": ");
        texts.push_str(&inner.to_string());
        source = inner.source();
    }
    texts
}
