//! What a route is, apart from HTTP and Lambda.

use std::fmt;

use secrecy::SecretString;
use serde::Serialize;

use crate::clients::Setup;
use crate::config;
use crate::error::{Error, Result};
use crate::request::Fields;

/// A route: one function behind API Gateway. Its doorway serves it with [`crate::http::serve`].
pub trait Route: Sized + Send + Sync + 'static {
    /// The function's name: its folder's, its package's, and the path's with `-` for `/`.
    const NAME: &'static str;

    /// Who may call it: [`Anyone`], or with a [`Bearer`] the signed-in user.
    type Caller: Caller;

    /// A request that can be right. Printed, it shows nothing of its values.
    type Request: fmt::Debug + Send;

    /// The body of the success.
    type Response: Serialize;

    /// The route with what it needs of the environment.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    fn new(setup: &Setup<'_>) -> config::Result<Self>;

    /// Reads the body of a request.
    ///
    /// # Errors
    /// What is wrong with it, without a call of AWS.
    fn parse(&self, caller: Self::Caller, fields: &Fields<'_>) -> Result<Self::Request>;

    /// Does what the route is for.
    ///
    /// # Errors
    /// Cognito's, our triggers' and our own.
    fn run(&self, request: Self::Request) -> impl Future<Output = Result<Self::Response>> + Send;
}

/// Who calls a route.
pub trait Caller: Sized + Send {
    /// Whether an empty body counts as `{}`.
    const BODY_MAY_BE_EMPTY: bool;

    /// The caller of a request, who sent this token in its `Authorization` header.
    ///
    /// # Errors
    /// The token is missing.
    fn read(token: Option<SecretString>) -> Result<Self>;
}

/// A caller who need not be signed in.
#[derive(Debug)]
pub struct Anyone;

impl Caller for Anyone {
    const BODY_MAY_BE_EMPTY: bool = false;

    fn read(_: Option<SecretString>) -> Result<Self> {
        Ok(Self)
    }
}

/// A caller with a token, which may be any text yet: see [`crate::access_token`].
#[derive(Debug)]
pub struct Bearer(pub SecretString);

impl Caller for Bearer {
    const BODY_MAY_BE_EMPTY: bool = true;

    fn read(token: Option<SecretString>) -> Result<Self> {
        token.map(Self).ok_or_else(Error::access_token_missing)
    }
}
