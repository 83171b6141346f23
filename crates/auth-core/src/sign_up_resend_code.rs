//! Another code for a sign-up that is not confirmed yet.

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::telemetry::{self, Metric};
use crate::username::Username;

/// `POST /auth/sign-up/resend-code`.
#[derive(Debug)]
pub struct SignUpResendCode(UserPool);

/// The user who waits for a code.
#[derive(Debug)]
pub struct Request {
    username: Username,
}

impl Route for SignUpResendCode {
    const NAME: &'static str = "sign-up-resend-code";
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
            .resend_confirmation_code()
            .client_id(&self.0.client_id)
            .username(username.as_str())
            .send()
            .await?;
        telemetry::count(Metric::CodesSent);
        Ok(Message::new(format!(
            "The confirmation code to activate your account has been sent to: {username}."
        )))
    }
}
