//! Confirmation of a sign-up with the code that was sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::username::Username;

/// `POST /auth/sign-up/confirm`.
#[derive(Debug)]
pub struct SignUpConfirm(UserPool);

/// A user and the code that confirms them.
#[derive(Debug)]
pub struct Request {
    username: Username,
    confirmation_code: SecretString,
}

impl Route for SignUpConfirm {
    const NAME: &'static str = "sign-up-confirm";
    type Caller = Anyone;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            username: fields.username()?,
            confirmation_code: fields.code("confirmationCode")?,
        })
    }

    async fn run(&self, request: Request) -> Result<Message> {
        let Request {
            username,
            confirmation_code,
        } = request;
        self.0
            .cognito
            .confirm_sign_up()
            .client_id(&self.0.client_id)
            .username(username.as_str())
            .confirmation_code(confirmation_code.expose_secret())
            .send()
            .await?;
        Ok(Message::new(format!(
            "The username: {username} has been confirmed."
        )))
    }
}
