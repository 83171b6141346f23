//! Errors. This module is in the lowest layer: it has neither HTTP nor AWS, and imports nothing of this crate.
//!
//! `name` and `message` are for the caller, `cause` is for the log. A bug or a wrong configuration has one
//! fixed public text. [`crate::exceptions`] reads AWS's exceptions, [`crate::http`] gives each [`Kind`] its status.

use std::borrow::Cow;
use std::fmt;

use secrecy::SecretString;
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

/// The result of everything that can be rejected or fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of answer an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is invalid, for every caller.
    Invalid,
    /// The credentials, tokens or codes are wrong or spent.
    Unauthenticated,
    /// The caller is known, but has to do something else first.
    Forbidden,
    /// There is no such user.
    NotFound,
    /// The method is not `POST`.
    MethodNotAllowed,
    /// The user exists already.
    Conflict,
    /// The body is larger than this API reads.
    TooLarge,
    /// Too many requests or attempts, by our count or Cognito's.
    Throttled,
    /// Our fault, or our configuration's.
    Internal,
    /// A service behind us is out of reach, too slow or failing.
    Unavailable,
}

/// The name of an error that this API itself makes, spelled as the caller sees it. Cognito's own pass through and are
/// in [`crate::exceptions`].
#[derive(Clone, Copy, Debug, EnumIter, IntoStaticStr, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its text")]
pub enum Name {
    CodeMismatchException,
    ForbiddenException,
    InternalErrorException,
    InvalidParameterException,
    InvalidParameterType,
    MethodNotAllowedException,
    MissingRequiredParameter,
    NotAuthorizedException,
    ReauthenticationRequiredException,
    RequestEntityTooLargeException,
    SerializationException,
    ServiceUnavailableException,
    TooManyRequestsException,
    UnsupportedChallengeException,
    UserNotConfirmedException,
}

impl Name {
    /// Every name there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The text that the caller sees.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of every error of this name.
    pub fn kind(self) -> Kind {
        match self {
            Self::InvalidParameterException
            | Self::InvalidParameterType
            | Self::MissingRequiredParameter
            | Self::SerializationException => Kind::Invalid,
            // Cognito's own `CodeMismatchException` is of a confirmation, and so 400: this one is of a sign-in.
            Self::CodeMismatchException | Self::NotAuthorizedException => Kind::Unauthenticated,
            Self::ForbiddenException
            | Self::ReauthenticationRequiredException
            | Self::UnsupportedChallengeException
            | Self::UserNotConfirmedException => Kind::Forbidden,
            Self::MethodNotAllowedException => Kind::MethodNotAllowed,
            Self::RequestEntityTooLargeException => Kind::TooLarge,
            Self::TooManyRequestsException => Kind::Throttled,
            Self::InternalErrorException => Kind::Internal,
            Self::ServiceUnavailableException => Kind::Unavailable,
        }
    }
}

/// A rejected or failed request: the caller's name and text, and the cause for the log.
#[derive(Debug)]
pub struct Error {
    /// The kind, for the status.
    pub kind: Kind,
    /// The error's name, as the caller sees it.
    pub name: Cow<'static, str>,
    /// The text, as the caller sees it.
    pub message: Cow<'static, str>,
    /// The session to use next, after a wrong one-time code that was not the last one.
    pub session: Option<SecretString>,
    /// Seconds to wait before the next attempt.
    pub retry_after: Option<u32>,
    /// Whether an access token has to stand in the `Authorization` header.
    pub needs_bearer: bool,
    /// The cause, for the log only. Never holds anything of the request.
    pub cause: Option<String>,
}

/// The `Retry-After` of `503`.
const UNAVAILABLE_SECONDS: u32 = 5;

impl Error {
    /// An error with a text of ours.
    pub fn new(name: Name, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: name.kind(),
            name: name.as_str().into(),
            message: message.into(),
            session: None,
            retry_after: None,
            needs_bearer: false,
            cause: None,
        }
    }

    /// A value that is there and of the right type, but can't be accepted.
    pub fn invalid_parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Name::InvalidParameterException, message)
    }

    /// A token or code that can't be good.
    pub fn not_authorized(message: &'static str) -> Self {
        Self::new(Name::NotAuthorizedException, message)
    }

    /// A request of a signed-in user without an access token in its header.
    pub fn access_token_missing() -> Self {
        Self {
            needs_bearer: true,
            ..Self::not_authorized("Access Token is missing")
        }
    }

    /// A challenge of Cognito's that this API has no route to answer.
    pub fn unsupported_challenge(challenge: &str) -> Self {
        Self::new(
            Name::UnsupportedChallengeException,
            format!("Cognito asks for the challenge {challenge}, which this API does not answer."),
        )
    }

    /// Our fault, or our configuration's: the caller gets a fixed text, the log gets the cause.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                Name::InternalErrorException,
                "Something went wrong on our side. Please try again later.",
            )
        }
    }

    /// A service behind us did not answer, or not in time: the caller may try again.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::half_done(
            "The service is not available at the moment. Please try again in a few seconds.",
            cause,
        )
    }

    /// Like [`Error::unavailable`], after one part succeeded: `message` names it, and how to do the rest.
    pub fn half_done(message: &'static str, cause: impl Into<String>) -> Self {
        Self {
            retry_after: Some(UNAVAILABLE_SECONDS),
            cause: Some(cause.into()),
            ..Self::new(Name::ServiceUnavailableException, message)
        }
    }

    /// Too many requests by our own count; `retry_after` is in seconds.
    pub fn throttled(message: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(Name::TooManyRequestsException, message)
        }
    }

    /// The same error with the session the caller is to use next.
    pub fn with_session(self, session: SecretString) -> Self {
        Self {
            session: Some(session),
            ..self
        }
    }

    /// Whether it is our fault or that of a service behind us, not the caller's.
    pub fn is_failure(&self) -> bool {
        matches!(self.kind, Kind::Internal | Kind::Unavailable)
    }
}

/// The error for the caller, without the session.
impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Error {}
