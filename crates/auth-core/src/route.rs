//! What a route is, apart from HTTP and Lambda.

use std::fmt;

use serde::Serialize;

use crate::clients::Setup;
use crate::config;
use crate::error::Result;
use crate::request::Fields;

/// A route: one function behind API Gateway. Its doorway serves it with [`crate::http::serve`].
pub trait Route: Sized + Send + Sync + 'static {
    /// The function's name: its folder's, its package's, and the path's with `-` for `/`.
    const NAME: &'static str;

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
    fn parse(&self, fields: &Fields<'_>) -> Result<Self::Request>;

    /// Does what the route is for.
    ///
    /// # Errors
    /// Cognito's, our triggers' and our own.
    fn run(&self, request: Self::Request) -> impl Future<Output = Result<Self::Response>> + Send;
}
