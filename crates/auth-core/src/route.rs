//! Routes, without HTTP and Lambda.

use std::fmt;

use secrecy::SecretString;
use serde::Serialize;

use crate::clients::Setup;
use crate::config;
use crate::error::{Error, Result};
use crate::request::Fields;

/// A route: one function behind API Gateway. Its `main` serves it with [`crate::http::serve`].
pub trait Route: Sized + Send + Sync + 'static {
    /// The function's name: its folder's, its package's, and the path's with `-` for `/`.
    const NAME: &'static str;

    /// Its caller: [`Anyone`], or [`Bearer`] for the signed-in user.
    type Caller: Caller;

    /// A validated request. Its `Debug` output hides its values.
    type Request: fmt::Debug + Send;

    /// The body of the success.
    type Response: Serialize;

    /// The route with its settings from the environment.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    fn new(setup: &Setup<'_>) -> config::Result<Self>;

    /// Reads the body of a request.
    ///
    /// # Errors
    /// The error in the body, without a call to AWS.
    fn parse(&self, caller: Self::Caller, fields: &Fields<'_>) -> Result<Self::Request>;

    /// Does the work of the route.
    ///
    /// # Errors
    /// The errors of Cognito, of the triggers and of this project.
    fn run(&self, request: Self::Request) -> impl Future<Output = Result<Self::Response>> + Send;
}

/// The caller of a route.
pub trait Caller: Sized + Send {
    /// Whether an empty body counts as `{}`.
    const BODY_MAY_BE_EMPTY: bool;

    /// The caller of a request with this token in its `Authorization` header.
    ///
    /// # Errors
    /// The token is missing.
    fn read(token: Option<SecretString>) -> Result<Self>;
}

/// A caller without an access token.
#[derive(Debug)]
pub struct Anyone;

impl Caller for Anyone {
    const BODY_MAY_BE_EMPTY: bool = false;

    fn read(_: Option<SecretString>) -> Result<Self> {
        Ok(Self)
    }
}

/// A caller with a token. The token is not checked yet: see [`crate::access_token`].
#[derive(Debug)]
pub struct Bearer(pub SecretString);

impl Caller for Bearer {
    const BODY_MAY_BE_EMPTY: bool = true;

    fn read(token: Option<SecretString>) -> Result<Self> {
        token.map(Self).ok_or_else(Error::access_token_missing)
    }
}
