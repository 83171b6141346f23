//! A code to change a forgotten password with.

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::telemetry::{self, Metric};
use crate::username::Username;

/// `POST /auth/password/forgot`.
#[derive(Debug)]
pub struct PasswordForgot(UserPool);

/// The user who forgot the password.
#[derive(Debug)]
pub struct Request {
    username: Username,
}

impl Route for PasswordForgot {
    const NAME: &'static str = "password-forgot";
    type Caller = Anyone;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            username: fields.username()?,
        })
    }

    async fn run(&self, Request { username }: Request) -> Result<Message> {
        self.0
            .cognito
            .forgot_password()
            .client_id(&self.0.client_id)
            .username(username.as_str())
            .send()
            .await?;
        telemetry::count(Metric::CodesSent);
        Ok(Message::new(format!(
            "The confirmation code to change your password has been sent to: {username}."
        )))
    }
}
