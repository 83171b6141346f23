//! Maps AWS's exceptions: every error of an SDK becomes an [`Error`] here, and only here.
//!
//! Cognito's exceptions about the request go through unchanged. Only the exception's code decides. Its text is read only
//! for the error of one of our own triggers.

use std::error::Error as StdError;

use aws_sdk_cognitoidentityprovider::Error as CognitoError;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Error, Kind};
use crate::trigger_error;

/// The `Retry-After` if Cognito throttles the account's requests: its quotas are per second.
const THROTTLED_SECONDS: u32 = 1;
/// The `Retry-After` if Cognito counted this user's attempts: its lock-outs end within 15 minutes.
const LIMIT_SECONDS: u32 = 900;

/// The kind of every exception that the operations called here model, by its name on the wire, and of those that any
/// AWS service can answer.
pub const EXCEPTIONS: [(&str, Kind); 76] = [
    ("CodeMismatchException", Kind::Invalid),
    ("ExpiredCodeException", Kind::Invalid),
    ("InvalidParameterException", Kind::Invalid),
    ("InvalidPasswordException", Kind::Invalid),
    ("PasswordHistoryPolicyViolationException", Kind::Invalid),
    ("UnsupportedOperationException", Kind::Invalid),
    ("UserLambdaValidationException", Kind::Invalid),
    ("NotAuthorizedException", Kind::Unauthenticated),
    ("RefreshTokenReuseException", Kind::Unauthenticated),
    // For a refresh token that is malformed or of another client.
    ("UnauthorizedException", Kind::Unauthenticated),
    ("UnsupportedTokenTypeException", Kind::Unauthenticated),
    // A web ACL on the pool.
    ("ForbiddenException", Kind::Forbidden),
    ("PasswordResetRequiredException", Kind::Forbidden),
    ("UserNotConfirmedException", Kind::Forbidden),
    ("UserNotFoundException", Kind::NotFound),
    ("AliasExistsException", Kind::Conflict),
    ("UsernameExistsException", Kind::Conflict),
    ("LimitExceededException", Kind::Throttled),
    ("ProvisionedThroughputExceededException", Kind::Throttled),
    ("RequestLimitExceeded", Kind::Throttled),
    ("Throttled", Kind::Throttled),
    ("Throttling", Kind::Throttled),
    ("ThrottlingException", Kind::Throttled),
    ("TooManyFailedAttemptsException", Kind::Throttled),
    ("TooManyRequestsException", Kind::Throttled),
    ("AccessDeniedException", Kind::Internal),
    ("AccountSuspendedException", Kind::Internal),
    ("AuthorizationError", Kind::Internal),
    ("BadRequestException", Kind::Internal),
    ("EndpointDisabled", Kind::Internal),
    ("ExpiredTokenException", Kind::Internal),
    ("FeatureUnavailableInTierException", Kind::Internal),
    ("IncompleteSignature", Kind::Internal),
    ("InvalidClientTokenId", Kind::Internal),
    ("InvalidEndpointException", Kind::Internal),
    ("InvalidParameter", Kind::Internal),
    ("InvalidSecurity", Kind::Internal),
    ("ItemCollectionSizeLimitExceededException", Kind::Internal),
    ("KMSAccessDenied", Kind::Internal),
    ("KMSDisabled", Kind::Internal),
    ("KMSInvalidState", Kind::Internal),
    ("KMSNotFound", Kind::Internal),
    ("KMSOptInRequired", Kind::Internal),
    ("MailFromDomainNotVerifiedException", Kind::Internal),
    ("MessageRejected", Kind::Internal),
    ("NotFound", Kind::Internal),
    ("NotFoundException", Kind::Internal),
    ("ParameterValueInvalid", Kind::Internal),
    ("PlatformApplicationDisabled", Kind::Internal),
    ("SendingPausedException", Kind::Internal),
    ("ValidationException", Kind::Internal),
    ("InvalidEmailRoleAccessPolicyException", Kind::Internal),
    ("InvalidLambdaResponseException", Kind::Internal),
    ("InvalidSignatureException", Kind::Internal),
    ("InvalidSmsRoleAccessPolicyException", Kind::Internal),
    ("InvalidSmsRoleTrustRelationshipException", Kind::Internal),
    ("InvalidUserPoolConfigurationException", Kind::Internal),
    ("MFAMethodNotFoundException", Kind::Internal),
    ("MissingAuthenticationTokenException", Kind::Internal),
    ("OperationNotEnabledException", Kind::Internal),
    ("ResourceNotFoundException", Kind::Internal),
    ("SoftwareTokenMFANotFoundException", Kind::Internal),
    ("UnexpectedLambdaException", Kind::Internal),
    ("UnrecognizedClientException", Kind::Internal),
    ("UserPoolAddOnNotEnabledException", Kind::Internal),
    ("CodeDeliveryFailureException", Kind::Unavailable),
    // Of a user that another operation has just made or changed.
    ("ConcurrentModificationException", Kind::Unavailable),
    ("InternalError", Kind::Unavailable),
    ("KMSThrottling", Kind::Unavailable),
    ("ReplicatedWriteConflictException", Kind::Unavailable),
    ("TransactionConflictException", Kind::Unavailable),
    ("InternalErrorException", Kind::Unavailable),
    ("InternalFailure", Kind::Unavailable),
    ("InternalServerError", Kind::Unavailable),
    ("ServiceUnavailable", Kind::Unavailable),
    ("ServiceUnavailableException", Kind::Unavailable),
];

/// The exceptions with which Cognito reports a trigger's error.
const TRIGGER_REPORTS: [&str; 3] = [
    "InvalidLambdaResponseException",
    "UnexpectedLambdaException",
    "UserLambdaValidationException",
];

/// For Cognito's operations, so that a route only needs `?`. Errors of other services don't compile here: callers did
/// not ask for those operations, so they need [`from_dependency`].
impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + StdError + Into<CognitoError> + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        from_sdk(&error)
    }
}

/// Maps errors of calls that the caller did not ask for: always [`Kind::Internal`] or [`Kind::Unavailable`].
pub fn from_dependency<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let error = from_sdk(&error);
    match error.is_failure() {
        true => error,
        false => Error::unavailable(error.name),
    }
}

fn from_sdk<E>(error: &SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match service.err().code() {
                Some(code) => from_exception(code, service.err().message(), status),
                None => Error::unavailable(format!(
                    "a response with status {status} and no exception code"
                )),
            }
        }
        SdkError::ConstructionFailure(_) => Error::internal(chain(error)),
        _ => Error::unavailable(chain(error)),
    }
}

/// The error for the exception `code` with `message` and this HTTP status of the response.
fn from_exception(code: &str, message: Option<&str>, status: u16) -> Error {
    if TRIGGER_REPORTS.contains(&code)
        && let Some(error) = message.and_then(trigger_error::decode)
    {
        return error;
    }
    let Some((_, kind)) = EXCEPTIONS.iter().find(|(name, _)| *name == code) else {
        let cause = format!("{code} (status {status}) is not an exception this API knows");
        return match status >= 500 {
            true => Error::unavailable(cause),
            false => Error::internal(cause),
        };
    };
    match *kind {
        // These texts name only our own resources and roles, and have nothing of the request.
        Kind::Internal => Error::internal(format!("{code}: {}", message.unwrap_or_default())),
        Kind::Unavailable => Error::unavailable(code),
        kind => Error {
            kind,
            name: code.to_owned().into(),
            message: message.unwrap_or(code).to_owned().into(),
            session: None,
            retry_after: match code {
                "LimitExceededException" | "TooManyFailedAttemptsException" => Some(LIMIT_SECONDS),
                _ => (kind == Kind::Throttled).then_some(THROTTLED_SECONDS),
            },
            needs_bearer: false,
            cause: None,
        },
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
